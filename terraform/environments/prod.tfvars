# Numbers, addresses and sizes are to be filled in for a project: README.md, "Deploy", step 1. Types and defaults: ../catalog/environment.tf.
environment = {
  name           = "prod"
  project_id     = "voketag-prod"
  project_number = "100000000001"
  region         = "us-east1"

  alerts = {
    emails       = ["oncall@voketag.com"]
    runbooks_url = "https://github.com/voketag/admin-api/blob/main/README.md"
  }
  cors_origins = ["https://admin.voketag.com"]
  database = {
    availability_type    = "REGIONAL"
    backups_kept         = 30
    disk_size_gb         = 100
    max_connections      = 500
    reserved_connections = 200
    tier                 = "db-custom-4-16384"
  }
  neighbour_urls = {
    BLOCKCHAIN = "https://blockchain-100000000001.us-east1.run.app"
    FACTORY    = "https://factory-100000000001.us-east1.run.app"
    SCAN       = "https://scan-100000000001.us-east1.run.app"
  }
  redis = { tier = "STANDARD_HA" }
  scaling = {
    analytics    = { max_instances = 6 }
    audit        = { max_instances = 4 }
    auth         = { max_instances = 8, min_instances = 1 }
    dashboard    = { max_instances = 4 }
    retry-worker = { max_instances = 4 }
    system       = { max_instances = 4 }
    users        = { max_instances = 4, min_instances = 1 }
  }
  secret_versions = {
    AUDIT_SIGNING_KEY = "1"
    DATABASE_CA       = "1"
    JWT_PRIVATE_KEY   = "1"
    JWT_PUBLIC_KEY    = "1"
    REDIS_URL         = "1"
    REFRESH_TOKEN_KEY = "1"
  }
  settings = {
    seal   = { AUDIT_LOG_ORIGIN = "voketag-prod/admin-api/audit" }
    verify = { AUDIT_LOG_ORIGIN = "voketag-prod/admin-api/audit" }
  }
}
