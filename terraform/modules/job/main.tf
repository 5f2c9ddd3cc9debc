# One job, and its schedule where it has one.
locals {
  volumes = { for path, it in var.job.secret_files : trim(replace(dirname(path), "/", "-"), "-") => merge(it, { path = path }) }
}

resource "google_cloud_run_v2_job" "job" {
  name                = var.job.name
  location            = var.region
  deletion_protection = var.is_protected
  labels              = var.labels

  template {
    task_count = 1

    template {
      service_account = var.job.service_account
      timeout         = "${var.job.timeout_seconds}s"
      # What a schedule starts comes again by itself, and what a person starts should be looked at.
      max_retries = var.job.retries

      vpc_access {
        egress = "PRIVATE_RANGES_ONLY"

        network_interfaces {
          network    = var.network.network
          subnetwork = var.network.subnetwork
        }
      }

      containers {
        name  = "job"
        image = var.image
        args  = var.job.args

        resources {
          limits = { cpu = var.job.cpu, memory = var.job.memory }
        }

        dynamic "env" {
          for_each = var.job.env

          content {
            name  = env.key
            value = env.value
          }
        }

        dynamic "env" {
          for_each = var.job.secrets

          content {
            name = env.key

            value_source {
              secret_key_ref {
                secret  = env.value.secret
                version = env.value.version
              }
            }
          }
        }

        dynamic "volume_mounts" {
          for_each = local.volumes

          content {
            name       = volume_mounts.key
            mount_path = dirname(volume_mounts.value.path)
          }
        }
      }

      dynamic "volumes" {
        for_each = local.volumes

        content {
          name = volumes.key

          secret {
            secret = volumes.value.secret

            items {
              path    = basename(volumes.value.path)
              version = volumes.value.version
            }
          }
        }
      }
    }
  }

  lifecycle {
    ignore_changes = [client, client_version]
  }
}

resource "google_cloud_scheduler_job" "schedule" {
  count = var.job.schedule == null ? 0 : 1

  name      = var.job.name
  region    = var.region
  schedule  = var.job.schedule
  time_zone = "Etc/UTC"
  # Only for the request that starts the job.
  attempt_deadline = "30s"

  # The next one comes within a minute.
  retry_config {
    retry_count = 0
  }

  http_target {
    http_method = "POST"
    uri         = "https://run.googleapis.com/v2/projects/${var.project_id}/locations/${var.region}/jobs/${google_cloud_run_v2_job.job.name}:run"

    oauth_token {
      service_account_email = var.job.scheduler
      scope                 = "https://www.googleapis.com/auth/cloud-platform"
    }
  }
}

resource "google_cloud_run_v2_job_iam_member" "scheduler" {
  count = var.job.schedule == null ? 0 : 1

  name     = google_cloud_run_v2_job.job.name
  location = google_cloud_run_v2_job.job.location
  role     = "roles/run.invoker"
  member   = "serviceAccount:${var.job.scheduler}"
}
