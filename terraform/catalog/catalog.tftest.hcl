# What follows from the maps, and what they and the environment refuse. The environments' own files are tested in the roots.
variables {
  environment = {
    name           = "test"
    project_id     = "voketag-test"
    project_number = "123456789012"
    region         = "us-east1"
    alerts         = { runbooks_url = "https://example.com/README.md" }
    cors_origins   = ["https://admin.example.com"]
    database       = { tier = "db-custom-1-3840" }
    neighbour_urls = { SCAN = "https://scan.example.com", FACTORY = "https://factory.example.com", BLOCKCHAIN = "https://blockchain.example.com" }
    secret_versions = {
      AUDIT_SIGNING_KEY = "1", DATABASE_CA = "2", JWT_PRIVATE_KEY = "3", JWT_PUBLIC_KEY = "4", REFRESH_TOKEN_KEY = "5"
    }
  }
}

run "every_package_has_an_entry_and_every_entry_a_package" {
  command = plan

  assert {
    condition = toset(concat(keys(var.functions), ["jobs"])) == toset([
      for manifest in fileset("${path.module}/../../functions", "*/Cargo.toml") : dirname(manifest)
    ])
    error_message = "functions.tf and the packages in functions/ differ."
  }
  assert {
    condition = alltrue([
      for name in keys(var.jobs) : length(fileset("${path.module}/../../functions/jobs/src", "${replace(name, "-", "_")}.rs")) == 1
    ])
    error_message = "A job of jobs.tf is no subcommand."
  }
}

run "every_login_has_the_group_role_of_a_migration" {
  command = plan

  assert {
    condition = alltrue([
      for role in keys(output.database_members) :
      anytrue([for file in fileset("${path.module}/../../migrations", "*_role_*.sql") : endswith(file, "_role_${trimprefix(role, "admin_api_")}.sql")])
    ])
    error_message = "No migration makes a group role of that name."
  }
  assert {
    condition = (
      tolist(output.jobs["migrate"].args) ==
      tolist(flatten(["migrate", [for role, user in output.database_members : ["--member", "${role}=${user}"]]]))
    )
    error_message = "migrate does not grant each login its group role."
  }
  assert {
    condition     = output.database_members["admin_api_retry_worker"] == "admin-api-retry-worker@voketag-test.iam"
    error_message = "PostgreSQL knows a service account without .gserviceaccount.com."
  }
}

run "one_account_each_and_no_two_alike" {
  command = plan

  assert {
    condition     = length(distinct(values(output.accounts))) == length(var.functions) + length(var.jobs) + 3
    error_message = "Functions, jobs and the three callers need an account each."
  }
  assert {
    condition = alltrue([
      for it in concat(values(output.functions), values(output.jobs)) : length(split("@", it.service_account)[0]) <= 30
    ])
    error_message = "A service account's name has at most 30 characters."
  }
}

run "a_database_url_names_its_login_and_no_password" {
  command = plan

  variables {
    database_host = "10.0.0.3"
  }

  assert {
    condition = (
      output.functions["users"].env.DATABASE_URL ==
      "postgresql://admin-api-users%40voketag-test.iam@10.0.0.3/voketag?sslmode=verify-ca&sslrootcert=%2Fetc%2Fvoketag%2Fdatabase%2Fca.pem"
    )
    error_message = output.functions["users"].env.DATABASE_URL
  }
  assert {
    condition     = endswith(output.jobs["migrate"].env.DATABASE_URL, "&options%5Brole%5D=cloudsqlsuperuser")
    error_message = "migrate must make tables as their owner."
  }
  assert {
    condition = alltrue([
      for name, job in output.jobs : strcontains(job.env.DATABASE_URL, "role") == contains(["create-admin", "migrate", "prune"], name)
    ])
    error_message = "Only what an operator starts may act as the owner."
  }
  assert {
    condition = alltrue([
      for it in concat(values(output.functions), values(output.jobs)) : it.env.DATABASE_IAM_AUTH == "on" && it.env.ENV == "production"
    ])
    error_message = "Everything signs in by IAM, and runs as in production."
  }
}

run "secrets_go_only_to_those_who_need_them" {
  command = plan

  assert {
    condition = {
      for secret in ["AUDIT_SIGNING_KEY", "JWT_PRIVATE_KEY", "REFRESH_TOKEN_KEY"] : secret => [for it in values(output.secret_readers) : it.reader if it.setting == secret]
    } == { AUDIT_SIGNING_KEY = ["seal"], JWT_PRIVATE_KEY = ["auth"], REFRESH_TOKEN_KEY = ["auth"] }
    error_message = "Another than seal can sign the log, or another than auth can sign tokens."
  }
  assert {
    condition     = output.functions["auth"].secrets.JWT_PRIVATE_KEY == { secret = "admin-api-jwt-private-key", version = "3" }
    error_message = "The version is not the pinned one."
  }
  assert {
    condition     = !contains(keys(output.functions["users"].secrets), "REDIS_URL")
    error_message = "An optional secret without a version must be left out."
  }
  assert {
    condition     = output.functions["users"].secret_files["/etc/voketag/database/ca.pem"].version == "2"
    error_message = "The database's certificate authority is not where DATABASE_URL says."
  }
  assert {
    condition     = output.publishers == ["system", "relay"]
    error_message = "Only system and relay publish."
  }
}

run "only_the_worker_is_internal" {
  command = plan

  assert {
    condition = { for name, f in output.functions : name => f.ingress if f.ingress != "INGRESS_TRAFFIC_ALL" } == {
      retry-worker = "INGRESS_TRAFFIC_INTERNAL_ONLY"
    }
    error_message = "Pub/Sub's target takes internal traffic only, what stands behind the gateway cannot."
  }
  assert {
    condition     = alltrue([for name, f in output.functions : f.invoker == output.accounts[name == "retry-worker" ? "push" : "gateway"]])
    error_message = "The gateway calls the API's functions, Pub/Sub the worker, and nobody else anything."
  }
  assert {
    condition     = output.functions["retry-worker"].env.PUSH_OIDC_AUDIENCE == output.functions["retry-worker"].url
    error_message = "The worker expects tokens for another address."
  }
}

run "telemetry_is_off_unless_switched_on" {
  command = plan

  assert {
    condition = alltrue([
      for it in concat(values(output.functions), values(output.jobs)) : alltrue([for name in keys(it.env) : !startswith(name, "OTEL_")])
    ])
    error_message = "Something would be sent, though nobody asked."
  }
}

run "telemetry_goes_straight_to_a_vendor" {
  command = plan

  variables {
    environment = merge(var.environment, {
      secret_versions = merge(var.environment.secret_versions, { OTEL_EXPORTER_OTLP_HEADERS = "1" })
      telemetry       = { to = "otlp", endpoint = "https://otlp.example.com" }
    })
  }

  assert {
    condition = alltrue([
      for f in concat(values(output.functions), [output.jobs["measure"]]) :
      f.env.OTEL_EXPORTER_OTLP_ENDPOINT == "https://otlp.example.com" && f.secrets.OTEL_EXPORTER_OTLP_HEADERS.version == "1"
    ])
    error_message = "Functions and measure need the address, and the headers as a secret."
  }
}

run "too_many_connections_are_refused" {
  command = plan

  variables {
    environment = merge(var.environment, { scaling = { analytics = { max_instances = 20 } } })
  }

  expect_failures = [output.connections]
}

run "exports_are_counted_among_the_connections" {
  command = plan

  assert {
    condition     = tonumber(output.functions["audit"].env.EXPORT_SLOTS) == var.functions["audit"].connections_beside_pool
    error_message = "Each export opens a connection beside the pool."
  }
}

run "a_setting_that_the_maps_decide_is_refused" {
  command = plan

  variables {
    environment = merge(var.environment, { settings = { users = { DB_POOL_SIZE_MAX = "50" } } })
  }

  expect_failures = [var.environment]
}

run "a_secret_among_the_settings_is_refused" {
  command = plan

  variables {
    environment = merge(var.environment, { settings = { auth = { JWT_PRIVATE_KEY = "-----BEGIN" } } })
  }

  expect_failures = [var.environment]
}

run "a_missing_version_is_refused" {
  command = plan

  variables {
    environment = merge(var.environment, { secret_versions = { JWT_PUBLIC_KEY = "1" } })
  }

  expect_failures = [output.functions]
}

run "the_latest_version_is_refused" {
  command = plan

  variables {
    environment = merge(var.environment, { secret_versions = merge(var.environment.secret_versions, { JWT_PUBLIC_KEY = "latest" }) })
  }

  expect_failures = [var.environment]
}

run "any_origin_is_refused" {
  command = plan

  variables {
    environment = merge(var.environment, { cors_origins = ["*"] })
  }

  expect_failures = [var.environment]
}

run "scaling_of_an_unknown_function_is_refused" {
  command = plan

  variables {
    environment = merge(var.environment, { scaling = { user = { max_instances = 2 } } })
  }

  expect_failures = [var.environment]
}

run "more_idle_instances_than_instances_are_refused" {
  command = plan

  variables {
    environment = merge(var.environment, { scaling = { users = { min_instances = 3, max_instances = 2 } } })
  }

  expect_failures = [var.environment]
}

run "an_unencrypted_neighbour_is_refused" {
  command = plan

  variables {
    environment = merge(var.environment, { neighbour_urls = { SCAN = "http://scan", FACTORY = "https://f", BLOCKCHAIN = "https://b" } })
  }

  expect_failures = [var.environment]
}

run "a_name_too_long_is_refused" {
  command = plan

  variables {
    functions = { a-name-of-more-than-twenty = {} }
    jobs      = {}
  }

  expect_failures = [var.functions]
}

run "a_timeout_below_the_functions_own_is_refused" {
  command = plan

  variables {
    functions = { users = { timeout_seconds = 8 } }
  }

  expect_failures = [var.functions]
}

run "a_scheduled_owner_is_refused" {
  command = plan

  variables {
    jobs = { prune = { as_owner = true, schedule = "0 3 * * *" } }
  }

  expect_failures = [var.jobs]
}
