# What differs between environments: environments/NAME.tfvars.
variable "environment" {
  description = "The environment: project, sizes, pinned secret versions, and what stands around us."
  type = object({
    # What tokens say and the gateway checks; the functions are told the same.
    access_tokens = optional(object({
      audience = optional(string, "voketag-admin-api")
      issuer   = optional(string, "voketag-admin")
    }), {})
    alerts = object({
      emails = optional(list(string), [])
      # Of the page with the section "Runbooks"; alerts link to its anchors.
      runbooks_url = string
    })
    cors_origins = list(string)
    database = object({
      availability_type = optional(string, "ZONAL")
      backups_kept      = optional(number, 14)
      disk_size_gb      = optional(number, 20)
      instance          = optional(string, "voketag")
      max_connections   = optional(number, 200)
      name              = optional(string, "voketag")
      # Owns the tables. Where the Python service made them, its role; on an empty instance Cloud SQL's own.
      owner_role = optional(string, "cloudsqlsuperuser")
      # Of max_connections, for the other services of this database, Cloud SQL's agents and an operator.
      reserved_connections = optional(number, 60)
      tier                 = string
    })
    gateway_region = optional(string)
    # Data (database, Redis, secrets) and services cannot be destroyed by accident.
    is_protected   = optional(bool, true)
    name           = string
    neighbour_urls = map(string)
    network = optional(object({
      # Direct VPC egress takes two addresses an instance, and /26 is its least.
      subnet_range = optional(string, "10.20.0.0/22")
    }), {})
    project_id     = string
    project_number = string
    redis = optional(object({
      memory_size_gb = optional(number, 1)
      tier           = optional(string, "BASIC")
    }))
    region = string
    # By function; what is not named has 0 to 2 instances.
    scaling = optional(map(object({
      max_instances = optional(number, 2)
      min_instances = optional(number, 0)
    })), {})
    # Numbers of versions in Secret Manager, by the name of the setting; DATABASE_CA has TLS verify the server.
    secret_versions = map(string)
    # Settings of .env.example that shall differ from their defaults, by function or job.
    settings = optional(map(map(string)), {})
    # Off unless given. `collector`: Google's OpenTelemetry collector beside each function, into Cloud Trace and Cloud Monitoring.
    # `otlp`: straight to `endpoint` (Datadog's intake, say), with the headers of the secret OTEL_EXPORTER_OTLP_HEADERS.
    telemetry = optional(object({
      collector_image = optional(string, "us-docker.pkg.dev/cloud-ops-agents-artifacts/google-cloud-opentelemetry-collector/otelcol-google:0.160.0")
      endpoint        = optional(string)
      sample_ratio    = optional(number, 0.05)
      to              = string
    }))
    # The gateway and Cloud Run's own front end each add the address that called them.
    trusted_proxy_hops = optional(number, 2)
  })
  nullable = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9]{1,9}$", var.environment.name))
    error_message = "name must be 2 to 10 of a-z and 0-9, from a letter."
  }
  validation {
    condition = (
      can(regex("^[a-z][a-z0-9-]{4,28}[a-z0-9]$", var.environment.project_id)) &&
      can(regex("^[0-9]{6,}$", var.environment.project_number))
    )
    error_message = "project_id and project_number must be those of a Google Cloud project."
  }
  validation {
    condition = (
      toset(keys(var.environment.neighbour_urls)) == toset(["SCAN", "FACTORY", "BLOCKCHAIN"]) &&
      alltrue([for url in values(var.environment.neighbour_urls) : startswith(url, "https://")])
    )
    error_message = "neighbour_urls must give an https:// URL for each of SCAN, FACTORY and BLOCKCHAIN."
  }
  validation {
    condition = (
      length(var.environment.cors_origins) > 0 &&
      alltrue([for o in var.environment.cors_origins : can(regex("^https://[^/*]+$", o))])
    )
    error_message = "cors_origins must be https:// origins, without a path; * is for development."
  }
  validation {
    condition     = alltrue([for v in values(var.environment.secret_versions) : can(regex("^[1-9][0-9]*$", v))])
    error_message = "A secret's version must be a number: `latest` would change a running function without a deploy, and could not be rolled back."
  }
  validation {
    condition     = alltrue([for name in keys(var.environment.scaling) : contains(keys(var.functions), name)])
    error_message = "scaling must name functions of the map."
  }
  validation {
    condition = alltrue([for s in values(var.environment.scaling) :
    s.min_instances >= 0 && s.max_instances >= 1 && s.max_instances <= 100 && s.min_instances <= s.max_instances])
    error_message = "max_instances must be 1 to 100, min_instances 0 to that."
  }
  validation {
    condition     = alltrue([for name in keys(var.environment.settings) : contains(concat(keys(var.functions), keys(var.jobs)), name)])
    error_message = "settings must name functions or jobs of the maps."
  }
  validation {
    condition = length(setintersection(flatten([for settings in values(var.environment.settings) : keys(settings)]), concat(
      ["DATABASE_IAM_AUTH", "DATABASE_URL", "DB_POOL_SIZE_MAX", "ENV", "EXPORT_SLOTS", "PUSH_OIDC", "REQUEST_TIMEOUT_SECS"],
      flatten([for it in concat(values(var.functions), values(var.jobs)) : concat(it.secrets, it.secrets_optional)]),
    ))) == 0
    error_message = "settings must not set what the maps decide (connections, deadlines, who pushes), nor a secret."
  }
  validation {
    condition = var.environment.telemetry == null ? true : (
      contains(["collector", "otlp"], var.environment.telemetry.to) &&
      (var.environment.telemetry.to == "collector" || startswith(coalesce(var.environment.telemetry.endpoint, "none"), "https://")) &&
      var.environment.telemetry.sample_ratio >= 0 && var.environment.telemetry.sample_ratio <= 1
    )
    error_message = "telemetry.to must be collector, or otlp with an https:// endpoint; sample_ratio 0 to 1."
  }
  validation {
    condition     = contains(["ZONAL", "REGIONAL"], var.environment.database.availability_type)
    error_message = "database.availability_type must be ZONAL or REGIONAL."
  }
}
