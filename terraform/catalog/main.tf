# Derives what every root needs from the maps and the environment. Nothing is made here: names and addresses follow from the
# maps, so no root reads another's state, and each can be applied on its own.
locals {
  env = var.environment

  # Both forms of a run.app URL reach a service; this one is known before the service exists.
  url = {
    for name in keys(var.functions) : name => "https://admin-api-${name}-${local.env.project_number}.${local.env.region}.run.app"
  }
  account = { for name in local.identities : name => "admin-api-${name}@${local.env.project_id}.iam.gserviceaccount.com" }

  # A function and a job each have an account, and so has who calls them.
  callers    = ["gateway", "push", "scheduler"]
  identities = concat(keys(var.functions), keys(var.jobs), local.callers)

  # PostgreSQL knows a service account without its suffix.
  database_user = {
    for name in concat(keys(var.functions), keys(var.jobs)) : name => trimsuffix(local.account[name], ".gserviceaccount.com")
  }
  group_role = {
    for name in concat(keys(var.functions), keys(var.jobs)) : name => "admin_api_${replace(name, "-", "_")}"
    if !try(var.jobs[name].as_owner, false)
  }

  ca_path    = "/etc/voketag/database/ca.pem"
  verifies   = contains(keys(local.env.secret_versions), "DATABASE_CA")
  tls        = local.verifies ? "sslmode=verify-ca&sslrootcert=${urlencode(local.ca_path)}" : "sslmode=require"
  owner_role = "&options${urlencode("[role]")}=${urlencode(local.env.database.owner_role)}"

  # No password: with DATABASE_IAM_AUTH the function's access token is one.
  database_url = {
    for name, user in local.database_user : name => join("", [
      "postgresql://${urlencode(user)}@${var.database_host}/${local.env.database.name}?${local.tls}",
      try(var.jobs[name].as_owner, false) ? local.owner_role : "",
    ])
  }

  neighbour_env = { for name, url in local.env.neighbour_urls : name => { "${name}_SERVICE_URL" = url } }
  topic_env     = { PUBSUB_TOPIC_ANCHOR_RETRY = "anchor-retry", PUBSUB_TOPIC_BATCH_RETRY = "batch-retry" }
  common_env = {
    DATABASE_IAM_AUTH    = "on"
    ENV                  = "production"
    GOOGLE_CLOUD_PROJECT = local.env.project_id
  }

  # A job's process may be over before a collector has sent anything, and a sidecar would not end with it: jobs only send straight.
  telemetry_env = local.env.telemetry == null ? {} : {
    OTEL_RESOURCE_ATTRIBUTES = "service.namespace=voketag,deployment.environment.name=${local.env.name}"
    OTEL_TRACES_SAMPLER      = "parentbased_traceidratio"
    OTEL_TRACES_SAMPLER_ARG  = tostring(local.env.telemetry.sample_ratio)
  }
  straight_env = try(local.env.telemetry.to, "") != "otlp" ? {} : merge(
    local.telemetry_env, { OTEL_EXPORTER_OTLP_ENDPOINT = local.env.telemetry.endpoint }
  )
  beside_env = try(local.env.telemetry.to, "") != "collector" ? {} : merge(
    local.telemetry_env, { OTEL_EXPORTER_OTLP_ENDPOINT = "http://localhost:4318" }
  )

  # Everything that may be pinned, by the name of the setting.
  secret_ids = {
    for name in distinct(flatten([
      ["DATABASE_CA", "OTEL_EXPORTER_OTLP_HEADERS"],
      [for it in concat(values(var.functions), values(var.jobs)) : concat(it.secrets, it.secrets_optional)],
    ])) : name => "admin-api-${lower(replace(name, "_", "-"))}"
  }
  # These are read from files.
  secret_paths = { DATABASE_CA = local.ca_path, FIRST_ADMIN_PASSWORD = "/etc/voketag/first-admin/password" }
  wanted_secrets = {
    for name, it in merge(var.functions, var.jobs) : name => concat(it.secrets, ["DATABASE_CA"], [
      for secret in concat(it.secrets_optional, contains(keys(var.functions), name) ? ["OTEL_EXPORTER_OTLP_HEADERS"] : []) : secret
      if contains(keys(local.env.secret_versions), secret)
    ])
  }
  pinned = {
    for name, wanted in local.wanted_secrets : name => {
      for secret in wanted : secret => { secret = local.secret_ids[secret], version = local.env.secret_versions[secret] }
      if contains(keys(local.env.secret_versions), secret)
    }
  }
  secrets = {
    for name, pinned in local.pinned : name => { for s, it in pinned : s => it if !contains(keys(local.secret_paths), s) }
  }
  secret_files = {
    for name, pinned in local.pinned : name => {
      for s, it in pinned : local.secret_paths[s] => it if contains(keys(local.secret_paths), s)
    }
  }
  unpinned = setsubtract(flatten(values(local.wanted_secrets)), concat(keys(local.env.secret_versions), ["DATABASE_CA"]))

  scaling = {
    for name in keys(var.functions) : name => lookup(local.env.scaling, name, { max_instances = 2, min_instances = 0 })
  }
}
