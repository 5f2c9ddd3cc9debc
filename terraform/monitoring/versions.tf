terraform {
  required_version = ">= 1.11"

  # Bucket and prefix come from environments/NAME.tfbackend and ../run.
  backend "gcs" {}

  required_providers {
    google = {
      source  = "hashicorp/google"
      version = "~> 8.7"
    }
  }
}

provider "google" {
  project = local.env.project_id
  region  = local.env.region
}

