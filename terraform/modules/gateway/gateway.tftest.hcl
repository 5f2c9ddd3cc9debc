mock_provider "google-beta" {}

variables {
  openapi = "openapi: 3.1.0\npaths: {}\n"
  gateway = {
    display_name    = "Test"
    name            = "admin-api"
    region          = "us-east1"
    service_account = "gateway@voketag-test.iam.gserviceaccount.com"
  }
}

run "a_configuration_is_named_by_its_content" {
  command = plan

  assert {
    condition = (
      google_api_gateway_api_config.config.api_config_id ==
      "admin-api-${substr(sha256("${var.gateway.service_account}\n${var.openapi}"), 0, 12)}"
    )
    error_message = "Another content must have another name, and the same content the same one."
  }
  assert {
    condition     = base64decode(google_api_gateway_api_config.config.openapi_documents[0].document[0].contents) == var.openapi
    error_message = "The document is not what was given."
  }
  assert {
    condition = (
      google_api_gateway_api_config.config.gateway_config[0].backend_config[0].google_service_account ==
      "gateway@voketag-test.iam.gserviceaccount.com"
    )
    error_message = "The gateway does not call as its account."
  }
}

run "a_placeholder_left_over_is_refused" {
  command = plan

  variables {
    openapi = "openapi: 3.1.0\npaths: {}\nhost: $${users_url}\n"
  }

  expect_failures = [var.openapi]
}

run "what_is_no_document_is_refused" {
  command = plan

  variables {
    openapi = "- just\n- a list\n"
  }

  expect_failures = [var.openapi]
}

run "a_bad_name_is_refused" {
  command = plan

  variables {
    gateway = merge(var.gateway, { name = "Admin API" })
  }

  expect_failures = [var.gateway]
}
