# The platform of both environments, without Google.
mock_provider "google" {
  override_during = plan

  mock_resource "google_service_account" {
    defaults = {
      email  = "admin-api-x@voketag-prod.iam.gserviceaccount.com"
      member = "serviceAccount:admin-api-x@voketag-prod.iam.gserviceaccount.com"
    }
  }
}

mock_provider "google-beta" {
  override_during = plan

  mock_resource "google_project_service_identity" {
    defaults = { member = "serviceAccount:service-100000000001@gcp-sa-pubsub.iam.gserviceaccount.com" }
  }
}

override_data {
  target = data.google_project.this
  values = { number = "100000000001" }
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

  # A setting that the catalog does not know would be dropped without a word.
  assert {
    condition = (
      length(setsubtract(keys(var.environment), keys(module.catalog.environment))) == 0 &&
      length(setsubtract(keys(var.environment.database), keys(module.catalog.environment.database))) == 0
    )
    error_message = "The environment has a setting that does not exist."
  }

  assert {
    condition = (
      length(google_service_account.account) == 7 + 8 + 3 &&
      length(distinct([for it in google_service_account.account : it.account_id])) == length(google_service_account.account)
    )
    error_message = "Each function, job and caller has an account of its own."
  }
  assert {
    condition = alltrue([
      for name in ["analytics", "audit", "auth", "dashboard", "retry-worker", "system", "users"] :
      google_service_account.account[name].account_id == "admin-api-${name}"
    ])
    error_message = "A function lacks its service account."
  }
  assert {
    condition = (
      toset([for user in google_sql_user.account : user.type]) == toset(["CLOUD_IAM_SERVICE_ACCOUNT"]) &&
      alltrue([for user in google_sql_user.account : endswith(user.name, "@voketag-prod.iam")])
    )
    error_message = "A database user is no service account."
  }
  assert {
    condition = (
      toset([for name, user in google_sql_user.account : name if user.database_roles != null]) ==
      toset(["create-admin", "migrate", "prune"])
    )
    error_message = "More than the operator's jobs may act as the owner of the tables."
  }
  assert {
    condition = (
      google_sql_database_instance.database.settings[0].edition == "ENTERPRISE" &&
      google_sql_database_instance.database.settings[0].ip_configuration[0].ipv4_enabled == false &&
      google_sql_database_instance.database.settings[0].ip_configuration[0].ssl_mode == "ENCRYPTED_ONLY" &&
      google_sql_database_instance.database.settings[0].backup_configuration[0].point_in_time_recovery_enabled &&
      google_sql_database_instance.database.settings[0].availability_type == "REGIONAL" &&
      google_sql_database_instance.database.settings[0].deletion_protection_enabled &&
      google_sql_database_instance.database.deletion_protection
    )
    error_message = "Production's database must be private, encrypted, in two zones, recoverable, and protected."
  }
  assert {
    condition = { for flag in google_sql_database_instance.database.settings[0].database_flags : flag.name => flag.value if contains(["cloudsql.iam_authentication", "max_connections"], flag.name) } == {
      "cloudsql.iam_authentication" = "on", "max_connections" = "500"
    }
    error_message = "The database does not have the connections that were counted with, or no IAM users."
  }
  # Were a pool or an instance added, this says what is left for the others.
  assert {
    condition     = output.connections == { functions = 204, deploy = 48, jobs = 12, reserved = 200, most = 500 }
    error_message = "The sum of connections is another: ${jsonencode(output.connections)}"
  }
  assert {
    condition     = alltrue([for secret in google_secret_manager_secret.secret : secret.deletion_protection])
    error_message = "A secret of production can be destroyed."
  }
  assert {
    condition = alltrue([for member in flatten([
      [for it in google_secret_manager_secret_iam_member.reader : it.member],
      [for it in google_project_iam_member.database : it.member],
      [for it in google_project_iam_member.telemetry : it.member],
      [for it in google_pubsub_topic_iam_member.publisher : it.member],
      google_pubsub_topic_iam_member.dead_letters.member,
    ]) : startswith(member, "serviceAccount:")])
    error_message = "Somebody whom nobody knows has a right."
  }
  assert {
    condition     = toset([for key in keys(google_pubsub_topic_iam_member.publisher) : split("/", key)[0]]) == toset(["system", "relay"])
    error_message = "Only system and relay publish."
  }
  assert {
    condition = (
      toset(keys(module.subscription)) == toset(["anchor-retry", "batch-retry", "dead-letter"]) &&
      toset([for topic in google_pubsub_topic.topic : topic.name]) == toset(keys(module.subscription))
    )
    error_message = "The topics are not those of PUBSUB_TOPIC_…, or one has no subscription and its messages would be lost."
  }
  assert {
    condition = alltrue([for name, it in module.subscription : it.delivery == {
      account        = google_service_account.account["push"].email
      after_attempts = name == "dead-letter" ? null : 12
      backoff        = "10s to 600s"
      endpoint       = "https://admin-api-retry-worker-100000000001.us-east1.run.app/push/${name}"
    }])
    error_message = "A subscription lacks its dead letters, its backoff, its token or its route."
  }
  assert {
    condition     = alltrue([for it in google_project_iam_member.database : length(it.condition) == 1])
    error_message = "A right to the database is not narrowed to ours."
  }
}

run "development" {
  command = plan

  variables {
    environment = run.read.environments.dev
  }

  # A setting that the catalog does not know would be dropped without a word.
  assert {
    condition = (
      length(setsubtract(keys(var.environment), keys(module.catalog.environment))) == 0 &&
      length(setsubtract(keys(var.environment.database), keys(module.catalog.environment.database))) == 0
    )
    error_message = "The environment has a setting that does not exist."
  }

  override_data {
    target = data.google_project.this
    values = { number = "100000000002" }
  }

  assert {
    condition     = !google_sql_database_instance.database.deletion_protection && length(google_redis_instance.redis) == 0
    error_message = "What is no production must be easy to take away, and works without Redis."
  }
  assert {
    condition     = length(google_project_iam_member.telemetry) == 14
    error_message = "The collector writes as its function: two rights each."
  }
}

run "a_project_number_of_another_project_is_refused" {
  command = plan

  variables {
    environment = merge(run.read.environments.prod, { project_number = "999999999999" })
  }

  expect_failures = [data.google_project.this]
}
