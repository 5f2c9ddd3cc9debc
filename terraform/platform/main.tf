# What all functions share, and what each has beside its service: accounts, rights, secrets, topics.
module "catalog" {
  source = "../catalog"

  environment = var.environment
}

locals {
  env    = module.catalog.environment
  labels = { application = "admin-api", environment = local.env.name }
}

data "google_project" "this" {
  project_id = local.env.project_id

  lifecycle {
    postcondition {
      condition     = self.number == local.env.project_number
      error_message = "project_number is not that of the project ${local.env.project_id}, and the functions' addresses would be wrong."
    }
  }
}
