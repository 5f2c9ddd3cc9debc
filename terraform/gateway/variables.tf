variable "environment" {
  description = "The environment, of which the catalog knows the type: environments/NAME.tfvars."
  type        = any
  nullable    = false
}
