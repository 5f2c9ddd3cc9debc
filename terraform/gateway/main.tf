# The API's front door, made from the document that the handlers' own documentation made.
module "catalog" {
  source = "../catalog"

  environment = var.environment
}

locals {
  env    = module.catalog.environment
  labels = { application = "admin-api", environment = local.env.name }
  # API Gateway is not to be had in every region of Cloud Run.
  region = coalesce(local.env.gateway_region, local.env.region)

  addresses = { for name, function in module.catalog.functions : "${replace(name, "-", "_")}_url" => function.url }
  openapi = templatefile("${path.module}/openapi.yaml", merge(local.addresses, {
    jwks_uri     = "${module.keys.url}/.well-known/jwks.json"
    jwt_audience = module.catalog.access_tokens.audience
    jwt_issuer   = module.catalog.access_tokens.issuer
  }))
}

# The gateway fetches the public keys without a token, and auth lets in nobody without one. So a gateway of its own hands them out,
# with that one route; its address is known before the other's configuration, which must name it.
module "keys" {
  source = "../modules/gateway"

  labels  = local.labels
  openapi = templatefile("${path.module}/keys.yaml", { auth_url = module.catalog.functions["auth"].url })

  gateway = {
    display_name    = "VokeTag Admin API: public keys"
    name            = "admin-api-keys"
    region          = local.region
    service_account = module.catalog.accounts["gateway"]
  }
}

module "gateway" {
  source = "../modules/gateway"

  labels  = local.labels
  openapi = local.openapi

  gateway = {
    display_name    = "VokeTag Admin API"
    name            = "admin-api"
    region          = local.region
    service_account = module.catalog.accounts["gateway"]
  }
}
