# One function: a Cloud Run service that its one caller may invoke, and nobody else.
locals {
  # Cloud Run names a volume; the folder of the file does.
  volumes = { for path, it in var.function.secret_files : trim(replace(dirname(path), "/", "-"), "-") => merge(it, { path = path }) }
}

resource "google_cloud_run_v2_service" "function" {
  name                 = var.function.name
  location             = var.region
  ingress              = var.function.ingress
  invoker_iam_disabled = false
  deletion_protection  = var.is_protected
  labels               = var.labels
  # Readiness probes are in preview; once they are not, Cloud Run reports GA here, which is no change of ours.
  launch_stage = "BETA"

  template {
    service_account                  = var.function.service_account
    timeout                          = "${var.function.timeout_seconds}s"
    max_instance_request_concurrency = var.function.concurrency

    scaling {
      max_instance_count = var.function.max_instances
      min_instance_count = var.function.min_instances
    }

    # Only what is private goes through the network; Google's own addresses and the neighbours' are reached directly.
    vpc_access {
      egress = "PRIVATE_RANGES_ONLY"

      network_interfaces {
        network    = var.network.network
        subnetwork = var.network.subnetwork
      }
    }

    containers {
      name       = "function"
      image      = var.image
      depends_on = var.collector == null ? null : ["collector"]

      ports {
        container_port = 8080
      }

      resources {
        # Nothing runs after a response, so no processor is paid for then.
        cpu_idle          = true
        startup_cpu_boost = true
        limits            = { cpu = var.function.cpu, memory = var.function.memory }
      }

      dynamic "env" {
        for_each = var.function.env

        content {
          name  = env.key
          value = env.value
        }
      }

      dynamic "env" {
        for_each = var.function.secrets

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

      # An instance starts within a fraction of a second, without a database; a wrong setting ends it at once.
      startup_probe {
        period_seconds    = 1
        timeout_seconds   = 1
        failure_threshold = 30

        http_get {
          path = "/health"
        }
      }

      # Touches nothing else, so an instance is never restarted because the database is away.
      liveness_probe {
        period_seconds    = 10
        timeout_seconds   = 2
        failure_threshold = 3

        http_get {
          path = "/health"
        }
      }

      # Takes an instance out while it cannot reach the database, and while it is stopping.
      readiness_probe {
        period_seconds    = 10
        timeout_seconds   = 2
        failure_threshold = 3
        success_threshold = 1

        http_get {
          path = "/ready"
        }
      }
    }

    dynamic "containers" {
      for_each = var.collector[*]

      content {
        name  = "collector"
        image = containers.value.image
        args  = ["--config=env:COLLECTOR_CONFIG"]

        env {
          name  = "COLLECTOR_CONFIG"
          value = file("${path.module}/collector.yaml")
        }

        env {
          name  = "GOOGLE_CLOUD_PROJECT"
          value = containers.value.project_id
        }

        resources {
          cpu_idle = true
          limits   = { cpu = "0.5", memory = "256Mi" }
        }

        startup_probe {
          period_seconds    = 1
          timeout_seconds   = 1
          failure_threshold = 30

          http_get {
            path = "/"
            port = 13133
          }
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

  traffic {
    type     = var.revision == null ? "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST" : "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION"
    revision = var.revision
    percent  = 100
  }

  lifecycle {
    ignore_changes = [launch_stage, client, client_version]
  }
}

resource "google_cloud_run_v2_service_iam_member" "invoker" {
  name     = google_cloud_run_v2_service.function.name
  location = google_cloud_run_v2_service.function.location
  role     = "roles/run.invoker"
  member   = "serviceAccount:${var.function.invoker}"
}
