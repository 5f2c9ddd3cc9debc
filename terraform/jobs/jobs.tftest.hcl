mock_provider "google" {
  override_during = plan

  mock_data "google_sql_database_instance" {
    defaults = { private_ip_address = "10.0.0.3" }
  }
}

variables {
  image = "us-east1-docker.pkg.dev/voketag-prod/admin-api/jobs:2f1c9d0"
}

run "read" {
  module {
    source = "../environments"
  }
}

run "production" {
  command = plan

  variables {
    environment = run.read.environments.prod
  }

  assert {
    condition = (
      toset([for name, schedule in output.jobs : name if schedule == "* * * * *"]) ==
      toset(["admin-api-fold", "admin-api-measure", "admin-api-relay", "admin-api-seal"])
    )
    error_message = "fold, measure, relay and seal run every minute, the rest by hand."
  }
  assert {
    condition     = length(output.jobs) == 8 && length([for schedule in output.jobs : schedule if schedule == null]) == 4
    error_message = "A job is missing, or runs when it should not."
  }
}

run "development" {
  command = plan

  variables {
    environment = run.read.environments.dev
  }
}
