# A helper: without it every instance limits and caches for itself. So it has no replica by default, and nothing in it is backed up.
resource "google_redis_instance" "redis" {
  count = local.env.redis == null ? 0 : 1

  name               = "admin-api"
  region             = local.env.region
  tier               = local.env.redis.tier
  memory_size_gb     = local.env.redis.memory_size_gb
  redis_version      = "REDIS_7_2"
  authorized_network = google_compute_network.network.id
  connect_mode       = "PRIVATE_SERVICE_ACCESS"
  auth_enabled       = true
  # It holds counters and numbers of the dashboard, no personal data, and TLS here would be by a certificate authority of its own,
  # which every function would have to be given. The network is ours alone, and Google encrypts between its machines.
  transit_encryption_mode = "DISABLED"
  # What expires goes first; when there is no room for more, that too.
  redis_configs       = { maxmemory-policy = "allkeys-lru" }
  deletion_protection = local.env.is_protected
  labels              = local.labels

  depends_on = [google_service_networking_connection.services]
}

# The one secret that Terraform itself knows, because Memorystore makes it: written, and not kept in the state a second time.
resource "google_secret_manager_secret_version" "redis_url" {
  count = local.env.redis == null ? 0 : 1

  secret                 = google_secret_manager_secret.secret["REDIS_URL"].id
  secret_data_wo         = "redis://:${one(google_redis_instance.redis).auth_string}@${one(google_redis_instance.redis).host}:${one(google_redis_instance.redis).port}"
  secret_data_wo_version = "1"
}
