output "config_id" {
  description = "The configuration that serves."
  value       = google_api_gateway_api_config.config.api_config_id
}

output "url" {
  description = "Where clients find the API."
  value       = "https://${google_api_gateway_gateway.gateway.default_hostname}"
}
