variable "database_host" {
  description = "Where the database is. Only a root that makes services or jobs needs it."
  type        = string
  default     = "unknown.invalid"
}
