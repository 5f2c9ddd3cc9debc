# Retries: two topics, the dead letters' one, and a push subscription each to the worker.
resource "google_pubsub_topic" "topic" {
  for_each = module.catalog.topics

  name   = each.key
  labels = local.labels
  # So that messages can be pushed once more (`gcloud pubsub subscriptions seek`), also acknowledged ones.
  message_retention_duration = each.key == "dead-letter" ? "2678400s" : "604800s"

  depends_on = [google_project_service.api]
}

resource "google_pubsub_topic_iam_member" "publisher" {
  for_each = {
    for pair in setproduct(module.catalog.publishers, [for topic in keys(module.catalog.topics) : topic if topic != "dead-letter"]) :
    join("/", pair) => { account = pair[0], topic = pair[1] }
  }

  topic  = google_pubsub_topic.topic[each.value.topic].name
  role   = "roles/pubsub.publisher"
  member = google_service_account.account[each.value.account].member
}

# Google's own account, which moves what cannot be delivered.
resource "google_project_service_identity" "pubsub" {
  provider = google-beta

  service = "pubsub.googleapis.com"

  depends_on = [google_project_service.api]
}

resource "google_pubsub_topic_iam_member" "dead_letters" {
  topic  = google_pubsub_topic.topic["dead-letter"].name
  role   = "roles/pubsub.publisher"
  member = google_project_service_identity.pubsub.member
}

module "subscription" {
  source   = "../modules/subscription"
  for_each = module.catalog.topics

  agent = google_project_service_identity.pubsub.member

  subscription = {
    name          = each.key
    topic         = google_pubsub_topic.topic[each.key].id
    push_endpoint = "${module.catalog.functions[each.value].url}/push/${each.key}"
    audience      = module.catalog.functions[each.value].url
    push_account  = google_service_account.account["push"].email
    # Twelve attempts, 10 s to 10 min apart, take about an hour: a neighbour's deploy, restart or bad half-hour is waited for, and an
    # admin learns on the same day that a retry is dead. What dies is tried for 31 days, because it goes nowhere else.
    dead_letters   = each.key == "dead-letter" ? null : { after_attempts = 12, topic = google_pubsub_topic.topic["dead-letter"].id }
    retention_days = each.key == "dead-letter" ? 31 : 7
  }
}
