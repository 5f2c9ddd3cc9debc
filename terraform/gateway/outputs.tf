output "jwks_uri" {
  description = "Where other services find the public keys of access tokens."
  value       = "${module.keys.url}/.well-known/jwks.json"
}

output "url" {
  description = "Where clients find the API."
  value       = module.gateway.url
}
