# The images. A tag is never moved, so what is deployed under it stays what it was.
resource "google_artifact_registry_repository" "images" {
  repository_id          = "admin-api"
  location               = local.env.region
  format                 = "DOCKER"
  description            = "Images of the Admin API's functions and jobs."
  cleanup_policy_dry_run = false
  labels                 = local.labels

  docker_config {
    immutable_tags = true
  }

  # Of each function the last 20 images stay, which is as far as one can roll back; of the rest what is younger than 30 days.
  cleanup_policies {
    id     = "keep-the-last"
    action = "KEEP"

    most_recent_versions {
      keep_count = 20
    }
  }

  cleanup_policies {
    id     = "delete-the-old"
    action = "DELETE"

    condition {
      older_than = "2592000s"
    }
  }

  depends_on = [google_project_service.api]
}
