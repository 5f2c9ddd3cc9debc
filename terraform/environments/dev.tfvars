# Numbers, addresses and sizes are to be filled in for a project: README.md, "Deploy", step 1. Types and defaults: ../catalog/environment.tf.
environment = {
  name           = "dev"
  project_id     = "voketag-dev"
  project_number = "100000000002"
  region         = "us-east1"
  is_protected   = false

  alerts = {
    runbooks_url = "https://github.com/voketag/admin-api/blob/main/README.md"
  }
  cors_origins = ["https://admin.dev.voketag.com"]
  database = {
    backups_kept    = 7
    max_connections = 200
    tier            = "db-custom-1-3840"
  }
  neighbour_urls = {
    BLOCKCHAIN = "https://blockchain-100000000002.us-east1.run.app"
    FACTORY    = "https://factory-100000000002.us-east1.run.app"
    SCAN       = "https://scan-100000000002.us-east1.run.app"
  }
  secret_versions = {
    AUDIT_SIGNING_KEY = "1"
    DATABASE_CA       = "1"
    JWT_PRIVATE_KEY   = "1"
    JWT_PUBLIC_KEY    = "1"
    REFRESH_TOKEN_KEY = "1"
  }
  settings = {
    auth   = { LOG_LEVEL = "debug" }
    seal   = { AUDIT_LOG_ORIGIN = "voketag-dev/admin-api/audit" }
    verify = { AUDIT_LOG_ORIGIN = "voketag-dev/admin-api/audit" }
  }
  telemetry = { to = "collector", sample_ratio = 1 }
}
