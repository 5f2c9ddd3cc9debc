# The gateway of both environments; agreement.tf holds for each plan, so it does here.
mock_provider "google-beta" {
  override_during = plan

  mock_resource "google_api_gateway_gateway" {
    defaults = { default_hostname = "keys.example.com" }
  }
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
      output.deadlines ==
      { analytics = 10, audit = 10, audit_within_250_s = 250, auth = 10, dashboard = 10, system = 10, system_within_35_s = 35, users = 10 }
    )
    error_message = "Not what was measured and promised."
  }
  assert {
    condition     = local.backends["users"].address == "https://admin-api-users-100000000001.us-east1.run.app"
    error_message = "The gateway looks for users elsewhere."
  }
  assert {
    condition = (
      local.document.components.securitySchemes.access_token["x-google-auth"].jwksUri ==
      "https://keys.example.com/.well-known/jwks.json"
    )
    error_message = "The gateway must take the public keys from where it may read them."
  }
}

run "development" {
  command = plan

  variables {
    environment = run.read.environments.dev
  }
}
