output "runbooks" {
  description = "The runbooks that alerts point at; the README must have each."
  value       = concat(["availability", "latency", "measure-silent"], keys(local.alerts))
}
