# The jobs: one image, so one state and one deploy.
module "catalog" {
  source = "../catalog"

  database_host = data.google_sql_database_instance.database.private_ip_address
  environment   = var.environment
}

data "google_sql_database_instance" "database" {
  project = var.environment.project_id
  name    = try(var.environment.database.instance, "voketag")
}

locals {
  env = module.catalog.environment
}

module "job" {
  source   = "../modules/job"
  for_each = module.catalog.jobs

  image        = var.image
  is_protected = local.env.is_protected
  job          = each.value
  labels       = { application = "admin-api", environment = local.env.name }
  network      = module.catalog.network
  project_id   = local.env.project_id
  region       = local.env.region
}
