# One network, one subnet. The database and Redis have private addresses in a range of Google's that is peered with it.
resource "google_compute_network" "network" {
  name                    = module.catalog.network.network
  auto_create_subnetworks = false

  depends_on = [google_project_service.api]
}

resource "google_compute_subnetwork" "functions" {
  name          = module.catalog.network.subnetwork
  network       = google_compute_network.network.id
  region        = local.env.region
  ip_cidr_range = local.env.network.subnet_range
  # So that a function that is sent through the network still reaches Google.
  private_ip_google_access = true
}

resource "google_compute_global_address" "services" {
  name          = "admin-api-services"
  network       = google_compute_network.network.id
  address_type  = "INTERNAL"
  purpose       = "VPC_PEERING"
  prefix_length = 20
}

resource "google_service_networking_connection" "services" {
  network                 = google_compute_network.network.id
  service                 = "servicenetworking.googleapis.com"
  reserved_peering_ranges = [google_compute_global_address.services.name]
}
