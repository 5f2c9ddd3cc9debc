mock_provider "google" {}

variables {
  agent = "serviceAccount:service-123456789012@gcp-sa-pubsub.iam.gserviceaccount.com"
  subscription = {
    audience      = "https://worker.example.com"
    dead_letters  = { after_attempts = 12, topic = "projects/voketag-test/topics/dead-letter" }
    name          = "batch-retry"
    push_account  = "push@voketag-test.iam.gserviceaccount.com"
    push_endpoint = "https://worker.example.com/push/batch-retry"
    topic         = "projects/voketag-test/topics/batch-retry"
  }
}

run "it_pushes_with_a_token_tries_again_and_gives_up_in_the_end" {
  command = plan

  assert {
    condition = (
      google_pubsub_subscription.push.push_config[0].oidc_token[0].service_account_email == "push@voketag-test.iam.gserviceaccount.com" &&
      google_pubsub_subscription.push.push_config[0].oidc_token[0].audience == "https://worker.example.com" &&
      length(google_pubsub_subscription.push.push_config[0].no_wrapper) == 0
    )
    error_message = "A push must carry the token that the worker expects, and the envelope."
  }
  assert {
    condition = (
      google_pubsub_subscription.push.dead_letter_policy[0].max_delivery_attempts == 12 &&
      google_pubsub_subscription.push.retry_policy[0].minimum_backoff == "10s" &&
      google_pubsub_subscription.push.retry_policy[0].maximum_backoff == "600s" &&
      google_pubsub_subscription.push.ack_deadline_seconds == 60
    )
    error_message = "It must try 12 times, 10 s to 10 min apart, and wait 60 s for an answer."
  }
  assert {
    condition     = google_pubsub_subscription.push.expiration_policy[0].ttl == ""
    error_message = "It must not expire when nothing is retried for a month."
  }
  assert {
    condition = (
      google_pubsub_subscription_iam_member.agent[0].role == "roles/pubsub.subscriber" &&
      google_pubsub_subscription_iam_member.agent[0].member == var.agent
    )
    error_message = "Without this right Pub/Sub never moves a message to the dead letters."
  }
}

run "the_dead_letters_own_tries_for_ever" {
  command = plan

  variables {
    subscription = merge(var.subscription, { dead_letters = null, retention_days = 31 })
  }

  assert {
    condition = (
      length(google_pubsub_subscription.push.dead_letter_policy) == 0 &&
      google_pubsub_subscription.push.message_retention_duration == "2678400s"
    )
    error_message = "What is dead goes nowhere else, and is kept as long as Pub/Sub keeps anything."
  }
}

run "fewer_attempts_than_pubsub_allows_are_refused" {
  command = plan

  variables {
    subscription = merge(var.subscription, { dead_letters = { after_attempts = 4, topic = "projects/p/topics/t" } })
  }

  expect_failures = [var.subscription]
}

run "a_deadline_beyond_pubsubs_is_refused" {
  command = plan

  variables {
    subscription = merge(var.subscription, { ack_deadline_seconds = 601 })
  }

  expect_failures = [var.subscription]
}

run "a_token_for_another_service_is_refused" {
  command = plan

  variables {
    subscription = merge(var.subscription, { audience = "https://other.example.com" })
  }

  expect_failures = [var.subscription]
}

run "a_push_as_nobody_is_refused" {
  command = plan

  variables {
    subscription = merge(var.subscription, { push_account = "allUsers" })
  }

  expect_failures = [var.subscription]
}
