output "image" {
  description = "The image of the newest revision."
  value       = module.function.image
}

output "revision" {
  description = "The revision that serves, where it is not the newest."
  value       = module.function.revision
}

output "url" {
  description = "The address under which the gateway or Pub/Sub calls it."
  value       = module.catalog.functions[var.function].url
}
