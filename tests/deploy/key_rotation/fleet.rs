//! Two instances of each function, replaced as a platform replaces them: the next one is ready before
//! the last one is told to stop.

use std::collections::BTreeMap;
use std::sync::{Arc, RwLock};

use reqwest::StatusCode;
use serde_json::json;

use super::crowd::Crowd;
use crate::container::{Container, Settings};
use crate::world::{Tokens, World, set};

const INSTANCES: usize = 2;

pub struct Fleet<'a> {
    world: &'a World,
    functions: BTreeMap<&'static str, (Settings, Vec<Container>)>,
    pub addresses: Arc<Addresses>,
}

/// Where the instances are at this moment.
#[derive(Default)]
pub struct Addresses(RwLock<BTreeMap<&'static str, Vec<String>>>);

impl<'a> Fleet<'a> {
    pub async fn start(world: &'a World, names: impl IntoIterator<Item = &'static str>) -> Self {
        let (mut functions, addresses) = (BTreeMap::new(), Arc::<Addresses>::default());
        for name in names {
            let mut settings = world.settings(name);
            // A crowd at one address, and all of it the same user.
            set(&mut settings, "RATE_LIMIT_ADDRESS_PER_MINUTE", "1000000");
            set(&mut settings, "RATE_LIMIT_USER_PER_SECOND", "10000");
            set(&mut settings, "RATE_LIMIT_USER_BURST", "10000");
            let mut instances = vec![];
            for _ in 0..INSTANCES {
                let instance = Container::start(&world.image, name, &settings).await;
                addresses.0.write().unwrap().entry(name).or_default().push(instance.url());
                instances.push(instance);
            }
            functions.insert(name, (settings, instances));
        }
        Self { world, functions, addresses }
    }

    /// Replaces each instance of a function by one with this setting, while people work with both.
    pub async fn deploy(&mut self, crowd: &Crowd, name: &str, setting: &str, value: &str) {
        let (settings, instances) = self.functions.get_mut(name).unwrap();
        set(settings, setting, value);
        for (place, instance) in instances.iter_mut().enumerate() {
            let next = Container::start(&self.world.image, name, settings).await;
            self.addresses.0.write().unwrap().get_mut(name).unwrap()[place] = next.url();
            std::mem::replace(instance, next).stop().await;
            crowd.works().await;
        }
    }

    /// The same for every function, one after another.
    pub async fn deploy_all(&mut self, crowd: &Crowd, setting: &str, value: &str) {
        for name in self.addresses.names() {
            self.deploy(crowd, name, setting, value).await;
        }
    }

    pub async fn sign_in(&self) -> Tokens {
        self.world.sign_in(&self.functions["auth"].1[0]).await
    }

    /// How a refresh is answered.
    pub async fn refresh(&self, tokens: &Tokens) -> StatusCode {
        let url = format!("{}/v1/admin/auth/refresh", self.addresses.of("auth", 0));
        let body = json!({ "refresh_token": tokens.refresh });
        self.world.http.post(url).json(&body).send().await.unwrap().status()
    }
}

impl Addresses {
    /// The functions there are.
    pub fn names(&self) -> Vec<&'static str> {
        self.0.read().unwrap().keys().copied().collect()
    }

    /// The instance of a function whose turn it is.
    pub fn of(&self, name: &str, turn: usize) -> String {
        self.0.read().unwrap()[name][turn % INSTANCES].clone()
    }
}
