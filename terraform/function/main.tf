# One function's service, in a state of its own: a deploy or a rollback of one function cannot touch another, waits for no other's
# lock, and plans in seconds.
module "catalog" {
  source = "../catalog"

  database_host = data.google_sql_database_instance.database.private_ip_address
  environment   = var.environment
}

# The address is all that is needed of the platform, and only Cloud SQL knows it.
data "google_sql_database_instance" "database" {
  project = var.environment.project_id
  name    = try(var.environment.database.instance, "voketag")
}

locals {
  env = module.catalog.environment
}

module "function" {
  source = "../modules/function"

  function     = module.catalog.functions[var.function]
  image        = var.image
  is_protected = local.env.is_protected
  labels       = { application = "admin-api", environment = local.env.name }
  network      = module.catalog.network
  region       = local.env.region
  revision     = var.revision

  collector = try(local.env.telemetry.to, "") != "collector" ? null : {
    image      = local.env.telemetry.collector_image
    project_id = local.env.project_id
  }
}
