mock_provider "google" {}

variables {
  image      = "us-east1-docker.pkg.dev/voketag-test/admin-api/jobs:2f1c9d0"
  network    = { network = "admin-api", subnetwork = "admin-api-us-east1" }
  project_id = "voketag-test"
  region     = "us-east1"
  job = {
    args            = ["fold"]
    cpu             = "1"
    env             = { ENV = "production" }
    memory          = "512Mi"
    name            = "admin-api-fold"
    retries         = 0
    schedule        = "* * * * *"
    scheduler       = "scheduler@voketag-test.iam.gserviceaccount.com"
    secret_files    = {}
    secrets         = {}
    service_account = "admin-api-fold@voketag-test.iam.gserviceaccount.com"
    timeout_seconds = 300
  }
}

run "it_runs_as_itself_when_its_schedule_says" {
  command = plan

  assert {
    condition = (
      google_cloud_run_v2_job.job.template[0].template[0].service_account == "admin-api-fold@voketag-test.iam.gserviceaccount.com" &&
      tolist(google_cloud_run_v2_job.job.template[0].template[0].containers[0].args) == tolist(["fold"])
    )
    error_message = "It does not run as itself, or not what it is for."
  }
  assert {
    condition = (
      google_cloud_scheduler_job.schedule[0].schedule == "* * * * *" &&
      google_cloud_scheduler_job.schedule[0].http_target[0].uri == "https://run.googleapis.com/v2/projects/voketag-test/locations/us-east1/jobs/admin-api-fold:run" &&
      google_cloud_scheduler_job.schedule[0].http_target[0].oauth_token[0].service_account_email == "scheduler@voketag-test.iam.gserviceaccount.com"
    )
    error_message = "Its schedule does not start it."
  }
  assert {
    condition = (
      google_cloud_run_v2_job_iam_member.scheduler[0].member ==
      "serviceAccount:scheduler@voketag-test.iam.gserviceaccount.com"
    )
    error_message = "Only the scheduler's account may start it."
  }
}

run "by_hand_is_by_hand" {
  command = plan

  variables {
    job = merge(var.job, { schedule = null })
  }

  assert {
    condition     = length(google_cloud_scheduler_job.schedule) == 0 && length(google_cloud_run_v2_job_iam_member.scheduler) == 0
    error_message = "A job without a schedule must be out of the scheduler's reach."
  }
}

run "everybody_as_the_scheduler_is_refused" {
  command = plan

  variables {
    job = merge(var.job, { scheduler = "allUsers" })
  }

  expect_failures = [var.job]
}

run "a_bad_name_is_refused" {
  command = plan

  variables {
    job = merge(var.job, { name = "fold!" })
  }

  expect_failures = [var.job]
}

run "a_timeout_beyond_cloud_runs_is_refused" {
  command = plan

  variables {
    job = merge(var.job, { timeout_seconds = 604801 })
  }

  expect_failures = [var.job]
}

run "the_latest_image_is_refused" {
  command = plan

  variables {
    image = "us-east1-docker.pkg.dev/voketag-test/admin-api/jobs:latest"
  }

  expect_failures = [var.image]
}
