mock_provider "google" {}

variables {
  image   = "us-east1-docker.pkg.dev/voketag-test/admin-api/users:2f1c9d0"
  network = { network = "admin-api", subnetwork = "admin-api-us-east1" }
  region  = "us-east1"
  function = {
    concurrency     = 80
    cpu             = "1"
    env             = { ENV = "production" }
    ingress         = "INGRESS_TRAFFIC_ALL"
    invoker         = "gateway@voketag-test.iam.gserviceaccount.com"
    max_instances   = 4
    memory          = "512Mi"
    min_instances   = 0
    name            = "admin-api-users"
    secret_files    = { "/etc/voketag/database/ca.pem" = { secret = "admin-api-database-ca", version = "2" } }
    secrets         = { JWT_PUBLIC_KEY = { secret = "admin-api-jwt-public-key", version = "4" } }
    service_account = "admin-api-users@voketag-test.iam.gserviceaccount.com"
    timeout_seconds = 15
  }
}

run "one_caller_and_nobody_else" {
  command = plan

  assert {
    condition = (
      google_cloud_run_v2_service_iam_member.invoker.member == "serviceAccount:gateway@voketag-test.iam.gserviceaccount.com" &&
      google_cloud_run_v2_service_iam_member.invoker.role == "roles/run.invoker" &&
      google_cloud_run_v2_service.function.invoker_iam_disabled == false
    )
    error_message = "Somebody else than the gateway may call the function."
  }
  assert {
    condition = (
      google_cloud_run_v2_service.function.template[0].service_account ==
      "admin-api-users@voketag-test.iam.gserviceaccount.com"
    )
    error_message = "It does not run as itself."
  }
}

run "it_is_watched_bounded_and_in_the_network" {
  command = plan

  assert {
    condition = (
      google_cloud_run_v2_service.function.template[0].containers[0].startup_probe[0].http_get[0].path == "/health" &&
      google_cloud_run_v2_service.function.template[0].containers[0].liveness_probe[0].http_get[0].path == "/health" &&
      google_cloud_run_v2_service.function.template[0].containers[0].readiness_probe[0].http_get[0].path == "/ready"
    )
    error_message = "Startup and liveness ask /health, readiness /ready."
  }
  assert {
    condition = (
      google_cloud_run_v2_service.function.template[0].timeout == "15s" &&
      google_cloud_run_v2_service.function.template[0].max_instance_request_concurrency == 80 &&
      google_cloud_run_v2_service.function.template[0].scaling[0].max_instance_count == 4
    )
    error_message = "Its bounds are not those of the map."
  }
  assert {
    condition     = google_cloud_run_v2_service.function.template[0].vpc_access[0].network_interfaces[0].subnetwork == "admin-api-us-east1"
    error_message = "It cannot reach the database."
  }
}

run "secrets_are_pinned" {
  command = plan

  assert {
    condition = alltrue([
      for env in google_cloud_run_v2_service.function.template[0].containers[0].env : env.value_source[0].secret_key_ref[0].version == "4" if length(env.value_source) == 1
    ])
    error_message = "A secret's version is not the pinned one."
  }
  assert {
    condition = (
      google_cloud_run_v2_service.function.template[0].volumes[0].secret[0].items[0].version == "2" &&
      google_cloud_run_v2_service.function.template[0].containers[0].volume_mounts[0].mount_path == "/etc/voketag/database" &&
      google_cloud_run_v2_service.function.template[0].volumes[0].secret[0].items[0].path == "ca.pem"
    )
    error_message = "The certificate authority is not where DATABASE_URL says."
  }
}

run "a_deploy_serves_the_newest" {
  command = plan

  assert {
    condition = (
      google_cloud_run_v2_service.function.traffic[0].type == "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST" &&
      google_cloud_run_v2_service.function.traffic[0].percent == 100
    )
    error_message = "The newest revision must serve."
  }
  assert {
    condition     = length(google_cloud_run_v2_service.function.template[0].containers) == 1
    error_message = "There is a collector, though telemetry is off."
  }
}

run "a_rollback_serves_an_older_one" {
  command = plan

  variables {
    revision = "admin-api-users-00007-abc"
  }

  assert {
    condition = (
      google_cloud_run_v2_service.function.traffic[0].type == "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION" &&
      google_cloud_run_v2_service.function.traffic[0].revision == "admin-api-users-00007-abc"
    )
    error_message = "The chosen revision must serve."
  }
}

run "the_collector_starts_first" {
  command = plan

  variables {
    collector = { image = "example.com/collector:1", project_id = "voketag-test" }
  }

  assert {
    condition = (
      google_cloud_run_v2_service.function.template[0].containers[1].name == "collector" &&
      tolist(google_cloud_run_v2_service.function.template[0].containers[0].depends_on) == tolist(["collector"])
    )
    error_message = "What the function sends at its start would be lost."
  }
  assert {
    condition = alltrue([
      for container in google_cloud_run_v2_service.function.template[0].containers :
      (length(container.ports) == 1) == (container.name == "function")
    ])
    error_message = "Only the function takes requests."
  }
}

run "another_services_revision_is_refused" {
  command = plan

  variables {
    revision = "admin-api-auth-00007-abc"
  }

  expect_failures = [var.revision]
}

run "the_latest_image_is_refused" {
  command = plan

  variables {
    image = "us-east1-docker.pkg.dev/voketag-test/admin-api/users:latest"
  }

  expect_failures = [var.image]
}

run "an_image_without_a_tag_is_refused" {
  command = plan

  variables {
    image = "us-east1-docker.pkg.dev/voketag-test/admin-api/users"
  }

  expect_failures = [var.image]
}

run "everybody_as_the_caller_is_refused" {
  command = plan

  variables {
    function = merge(var.function, { invoker = "allUsers" })
  }

  expect_failures = [var.function]
}

run "an_unpinned_secret_is_refused" {
  command = plan

  variables {
    function = merge(var.function, { secrets = { JWT_PUBLIC_KEY = { secret = "admin-api-jwt-public-key", version = "latest" } } })
  }

  expect_failures = [var.function]
}

run "a_bad_name_is_refused" {
  command = plan

  variables {
    function = merge(var.function, { name = "Admin_API" })
  }

  expect_failures = [var.function]
}

run "more_idle_instances_than_instances_are_refused" {
  command = plan

  variables {
    function = merge(var.function, { min_instances = 5 })
  }

  expect_failures = [var.function]
}

run "a_timeout_beyond_cloud_runs_is_refused" {
  command = plan

  variables {
    function = merge(var.function, { timeout_seconds = 3601 })
  }

  expect_failures = [var.function]
}
