# One service account a function and a job, and three for their callers. None has a key.
resource "google_service_account" "account" {
  for_each = module.catalog.accounts

  account_id   = trimsuffix(each.value, "@${local.env.project_id}.iam.gserviceaccount.com")
  display_name = "Admin API: ${each.key}"

  depends_on = [google_project_service.api]
}

# Project-wide, because Cloud SQL knows these rights on nothing smaller; a condition narrows them to our instance.
resource "google_project_iam_member" "database" {
  for_each = {
    for pair in setproduct(keys(module.catalog.database_users), ["client", "instanceUser"]) :
    join("/", pair) => { account = pair[0], role = pair[1] }
  }

  project = local.env.project_id
  role    = "roles/cloudsql.${each.value.role}"
  member  = google_service_account.account[each.value.account].member

  condition {
    title = "our-database"
    expression = join(" && ", [
      "resource.type == 'sqladmin.googleapis.com/Instance'",
      "resource.name == 'projects/${local.env.project_id}/instances/${local.env.database.instance}'",
    ])
  }
}

# The collector beside a function writes as the function.
resource "google_project_iam_member" "telemetry" {
  for_each = try(local.env.telemetry.to, "") != "collector" ? {} : {
    for pair in setproduct(keys(module.catalog.functions), ["cloudtrace.agent", "monitoring.metricWriter"]) :
    join("/", pair) => { account = pair[0], role = pair[1] }
  }

  project = local.env.project_id
  role    = "roles/${each.value.role}"
  member  = google_service_account.account[each.value.account].member
}
