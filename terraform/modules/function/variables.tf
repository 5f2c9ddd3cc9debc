variable "collector" {
  description = "Google's OpenTelemetry collector beside the function; null for none."
  type = object({
    image      = string
    project_id = string
  })
  default = null
}

variable "function" {
  description = "What the service is: an entry of the catalog's `functions`."
  type = object({
    concurrency     = number
    cpu             = string
    env             = map(string)
    ingress         = string
    invoker         = string
    max_instances   = number
    memory          = string
    min_instances   = number
    name            = string
    secret_files    = map(object({ secret = string, version = string }))
    secrets         = map(object({ secret = string, version = string }))
    service_account = string
    timeout_seconds = number
  })
  nullable = false

  validation {
    condition     = can(regex("^[a-z]([a-z0-9-]{0,47}[a-z0-9])$", var.function.name))
    error_message = "name must be 2 to 49 of a-z, 0-9 and -, from a letter: Cloud Run takes no other."
  }
  validation {
    condition = (
      endswith(var.function.invoker, ".iam.gserviceaccount.com") &&
      endswith(var.function.service_account, ".iam.gserviceaccount.com")
    )
    error_message = "invoker and service_account must be service accounts: nobody else calls a function, least of all everybody."
  }
  validation {
    condition     = contains(["INGRESS_TRAFFIC_ALL", "INGRESS_TRAFFIC_INTERNAL_ONLY"], var.function.ingress)
    error_message = "ingress must be INGRESS_TRAFFIC_ALL (behind the gateway) or INGRESS_TRAFFIC_INTERNAL_ONLY (Pub/Sub)."
  }
  validation {
    condition     = var.function.timeout_seconds >= 10 && var.function.timeout_seconds <= 3600
    error_message = "timeout_seconds must be 10 to 3600."
  }
  validation {
    condition     = var.function.concurrency >= 1 && var.function.concurrency <= 1000
    error_message = "concurrency must be 1 to 1000."
  }
  validation {
    condition = (
      var.function.max_instances >= 1 &&
      var.function.min_instances >= 0 &&
      var.function.min_instances <= var.function.max_instances
    )
    error_message = "max_instances must be at least 1, min_instances 0 to that."
  }
  validation {
    condition = alltrue([
      for it in concat(values(var.function.secrets), values(var.function.secret_files)) : can(regex("^[1-9][0-9]*$", it.version))
    ])
    error_message = "A secret's version must be pinned by its number."
  }
  validation {
    condition     = length(setintersection(keys(var.function.env), keys(var.function.secrets))) == 0
    error_message = "A setting must not be both plain and secret."
  }
}

variable "image" {
  description = "The container image, with a digest or a tag of its own."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("(@sha256:[0-9a-f]{64}|:[A-Za-z0-9_][A-Za-z0-9._-]*)$", var.image)) && !endswith(var.image, ":latest")
    error_message = "image must end with a digest or a tag, and not with :latest, which means another image tomorrow."
  }
}

variable "is_protected" {
  description = "Whether Terraform refuses to destroy the service."
  type        = bool
  default     = true
}

variable "labels" {
  description = "Labels of the service."
  type        = map(string)
  default     = {}
}

variable "network" {
  description = "Where the service reaches the database and Redis from."
  type = object({
    network    = string
    subnetwork = string
  })
  nullable = false
}

variable "region" {
  description = "The region of the service."
  type        = string
  nullable    = false
}

variable "revision" {
  description = "A revision that there is already, which serves instead of the newest: a rollback. Null for the newest."
  type        = string
  default     = null

  validation {
    condition     = var.revision == null || startswith(coalesce(var.revision, "-"), "${var.function.name}-")
    error_message = "revision must be one of this service's."
  }
}
