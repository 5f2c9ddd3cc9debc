# PostgreSQL 16, which Factory, Scan and Blockchain share with us: private address only, TLS only, no passwords for our accounts.
locals {
  database_flags = {
    "cloudsql.iam_authentication" = "on"
    # What the catalog's sum is compared with.
    "max_connections" = tostring(module.catalog.connections.most)
    # A lock that is waited for longer than a second is worth a line.
    "log_lock_waits" = "on"
  }
}

resource "google_sql_database_instance" "database" {
  name             = local.env.database.instance
  database_version = "POSTGRES_16"
  region           = local.env.region
  # Of Terraform; the one in settings is Cloud SQL's, and also holds for gcloud and the console.
  deletion_protection = local.env.is_protected

  settings {
    # Left out, PostgreSQL 16 would be ENTERPRISE_PLUS, which has no db-custom tiers.
    edition                     = "ENTERPRISE"
    tier                        = local.env.database.tier
    availability_type           = local.env.database.availability_type
    disk_type                   = "PD_SSD"
    disk_size                   = local.env.database.disk_size_gb
    disk_autoresize             = true
    deletion_protection_enabled = local.env.is_protected
    retain_backups_on_delete    = local.env.is_protected
    user_labels                 = local.labels

    ip_configuration {
      ipv4_enabled    = false
      private_network = google_compute_network.network.id
      ssl_mode        = "ENCRYPTED_ONLY"
      server_ca_mode  = "GOOGLE_MANAGED_INTERNAL_CA"
    }

    backup_configuration {
      enabled                        = true
      point_in_time_recovery_enabled = true
      start_time                     = "04:00"
      transaction_log_retention_days = 7

      backup_retention_settings {
        retained_backups = local.env.database.backups_kept
        retention_unit   = "COUNT"
      }
    }

    maintenance_window {
      day          = 7
      hour         = 5
      update_track = "stable"
    }

    insights_config {
      query_insights_enabled  = true
      query_string_length     = 2048
      record_application_tags = true
      record_client_address   = false
    }

    dynamic "database_flags" {
      for_each = local.database_flags

      content {
        name  = database_flags.key
        value = database_flags.value
      }
    }
  }

  lifecycle {
    # Grows by itself.
    ignore_changes = [settings[0].disk_size]
  }

  depends_on = [google_service_networking_connection.services]
}

resource "google_sql_database" "database" {
  name     = local.env.database.name
  instance = google_sql_database_instance.database.name
  # To destroy what stands here must take more than a mistake in a plan.
  deletion_policy = local.env.is_protected ? "ABANDON" : "DELETE"
}

# One login each, authenticated by IAM. What it may do it has from its group role, which `jobs migrate` grants, because a GRANT is
# SQL; those that work as the owner are given that role here, so that the first migration can be.
resource "google_sql_user" "account" {
  for_each = module.catalog.database_users

  name           = each.value.name
  instance       = google_sql_database_instance.database.name
  type           = "CLOUD_IAM_SERVICE_ACCOUNT"
  database_roles = each.value.as_owner ? [local.env.database.owner_role] : null

  depends_on = [google_service_account.account]
}
