variable "environment" {
  description = "The environment, of which the catalog knows the type: environments/NAME.tfvars."
  type        = any
  nullable    = false
}

variable "image" {
  description = "The container image of all jobs."
  type        = string
  nullable    = false
}
