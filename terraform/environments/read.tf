# For the tests, which run against the environments' own files and not against copies.
terraform {
  required_version = ">= 1.11"

  required_providers {
    terraform = {
      source = "terraform.io/builtin/terraform"
    }
  }
}

output "environments" {
  description = "Each environment, by its name."
  value = {
    for file in fileset(path.module, "*.tfvars") :
    trimsuffix(file, ".tfvars") => provider::terraform::decode_tfvars(file("${path.module}/${file}")).environment
  }
}
