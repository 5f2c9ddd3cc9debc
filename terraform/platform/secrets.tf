# The secrets' containers, and who may read each. Values are added by an operator, so Terraform never sees them; the environment
# pins a version by its number.
resource "google_secret_manager_secret" "secret" {
  for_each = module.catalog.secret_ids

  secret_id           = each.value
  deletion_protection = local.env.is_protected
  labels              = local.labels
  # A version that was destroyed by mistake can be had back for a week.
  version_destroy_ttl = "604800s"

  replication {
    auto {}
  }

  depends_on = [google_project_service.api]
}

resource "google_secret_manager_secret_iam_member" "reader" {
  for_each = module.catalog.secret_readers

  secret_id = google_secret_manager_secret.secret[each.value.setting].id
  role      = "roles/secretmanager.secretAccessor"
  member    = google_service_account.account[each.value.reader].member
}
