variable "gateway" {
  description = "The gateway: its name, where it is, and the account that it calls the functions as."
  type = object({
    display_name    = string
    name            = string
    region          = string
    service_account = string
  })
  nullable = false

  validation {
    condition     = can(regex("^[a-z]([a-z0-9-]{0,30}[a-z0-9])?$", var.gateway.name))
    error_message = "name must be 1 to 32 of a-z, 0-9 and -, from a letter: a hash is added to it."
  }
  validation {
    condition     = endswith(var.gateway.service_account, ".iam.gserviceaccount.com")
    error_message = "service_account must be one."
  }
}

variable "labels" {
  description = "Labels of the API, its configurations and the gateway."
  type        = map(string)
  default     = {}
}

variable "openapi" {
  description = "The OpenAPI document (YAML), with its addresses filled in."
  type        = string
  nullable    = false

  validation {
    condition     = can(yamldecode(var.openapi).paths)
    error_message = "openapi must be an OpenAPI document in YAML."
  }
  validation {
    condition     = length(regexall("\\$\\{", var.openapi)) == 0
    error_message = "openapi has a placeholder that was not filled in."
  }
}
