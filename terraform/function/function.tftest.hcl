# Every function of both environments can be planned from its line in the map, without Google.
mock_provider "google" {
  override_during = plan

  mock_data "google_sql_database_instance" {
    defaults = { private_ip_address = "10.0.0.3" }
  }
}

variables {
  image = "us-east1-docker.pkg.dev/voketag-prod/admin-api/x:2f1c9d0"
}

run "read" {
  module {
    source = "../environments"
  }
}

run "prod_analytics" {
  command = plan

  variables {
    environment = run.read.environments.prod
    function    = "analytics"
  }

  assert {
    condition     = strcontains(module.catalog.functions[var.function].env.DATABASE_URL, "@10.0.0.3/")
    error_message = "It is not told where the database is."
  }
}

run "prod_audit" {
  command = plan

  variables {
    environment = run.read.environments.prod
    function    = "audit"
  }

  assert {
    condition     = strcontains(module.catalog.functions[var.function].env.DATABASE_URL, "@10.0.0.3/")
    error_message = "It is not told where the database is."
  }
}

run "prod_auth" {
  command = plan

  variables {
    environment = run.read.environments.prod
    function    = "auth"
  }

  assert {
    condition     = strcontains(module.catalog.functions[var.function].env.DATABASE_URL, "@10.0.0.3/")
    error_message = "It is not told where the database is."
  }
}

run "prod_dashboard" {
  command = plan

  variables {
    environment = run.read.environments.prod
    function    = "dashboard"
  }

  assert {
    condition     = strcontains(module.catalog.functions[var.function].env.DATABASE_URL, "@10.0.0.3/")
    error_message = "It is not told where the database is."
  }
}

run "prod_retry_worker" {
  command = plan

  variables {
    environment = run.read.environments.prod
    function    = "retry-worker"
  }

  assert {
    condition     = strcontains(module.catalog.functions[var.function].env.DATABASE_URL, "@10.0.0.3/")
    error_message = "It is not told where the database is."
  }
}

run "prod_system" {
  command = plan

  variables {
    environment = run.read.environments.prod
    function    = "system"
  }

  assert {
    condition     = strcontains(module.catalog.functions[var.function].env.DATABASE_URL, "@10.0.0.3/")
    error_message = "It is not told where the database is."
  }
}

run "prod_users" {
  command = plan

  variables {
    environment = run.read.environments.prod
    function    = "users"
  }

  assert {
    condition     = strcontains(module.catalog.functions[var.function].env.DATABASE_URL, "@10.0.0.3/")
    error_message = "It is not told where the database is."
  }
}

run "dev_analytics" {
  command = plan

  variables {
    environment = run.read.environments.dev
    function    = "analytics"
  }

  assert {
    condition     = strcontains(module.catalog.functions[var.function].env.DATABASE_URL, "@10.0.0.3/")
    error_message = "It is not told where the database is."
  }
}

run "dev_audit" {
  command = plan

  variables {
    environment = run.read.environments.dev
    function    = "audit"
  }

  assert {
    condition     = strcontains(module.catalog.functions[var.function].env.DATABASE_URL, "@10.0.0.3/")
    error_message = "It is not told where the database is."
  }
}

run "dev_auth" {
  command = plan

  variables {
    environment = run.read.environments.dev
    function    = "auth"
  }

  assert {
    condition     = strcontains(module.catalog.functions[var.function].env.DATABASE_URL, "@10.0.0.3/")
    error_message = "It is not told where the database is."
  }
}

run "dev_dashboard" {
  command = plan

  variables {
    environment = run.read.environments.dev
    function    = "dashboard"
  }

  assert {
    condition     = strcontains(module.catalog.functions[var.function].env.DATABASE_URL, "@10.0.0.3/")
    error_message = "It is not told where the database is."
  }
}

run "dev_retry_worker" {
  command = plan

  variables {
    environment = run.read.environments.dev
    function    = "retry-worker"
  }

  assert {
    condition     = strcontains(module.catalog.functions[var.function].env.DATABASE_URL, "@10.0.0.3/")
    error_message = "It is not told where the database is."
  }
}

run "dev_system" {
  command = plan

  variables {
    environment = run.read.environments.dev
    function    = "system"
  }

  assert {
    condition     = strcontains(module.catalog.functions[var.function].env.DATABASE_URL, "@10.0.0.3/")
    error_message = "It is not told where the database is."
  }
}

run "dev_users" {
  command = plan

  variables {
    environment = run.read.environments.dev
    function    = "users"
  }

  assert {
    condition     = strcontains(module.catalog.functions[var.function].env.DATABASE_URL, "@10.0.0.3/")
    error_message = "It is not told where the database is."
  }
}

run "an_unknown_function_is_refused" {
  command = plan

  variables {
    environment = run.read.environments.prod
    function    = "user"
  }

  expect_failures = [var.function]
}
