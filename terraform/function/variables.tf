variable "environment" {
  description = "The environment, of which the catalog knows the type: environments/NAME.tfvars."
  type        = any
  nullable    = false
}

variable "function" {
  description = "Which function of the catalog."
  type        = string
  nullable    = false

  validation {
    condition     = contains(keys(module.catalog.functions), var.function)
    error_message = "function must be one of ${join(", ", keys(module.catalog.functions))}."
  }
}

variable "image" {
  description = "Its container image."
  type        = string
  nullable    = false
}

variable "revision" {
  description = "A revision that serves instead of the newest; null for the newest."
  type        = string
  default     = null
}
