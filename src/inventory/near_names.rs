//! Names that resemble a wrong name: the refusal of the wrong name offers them.

use std::time::Instant;

use super::{Session, read};
use crate::catalog::Search;
use crate::refusal::{Code, Refusal};

impl Session {
    /// Adds names that resemble the wrong name to its refusal, if the refusal is `PRODUCT_NOT_FOUND` of a name
    /// that is no label, and the time budget allows a search.
    pub async fn explain(&self, name: &str, refusal: Refusal) -> Refusal {
        if refusal.code != Code::ProductNotFound || self.is_label(name) {
            return refusal;
        }
        let mut time = self.inventory.near_names.lock().await;
        if !time.is_left(Instant::now()) {
            return refusal;
        }
        let mut search = Search::new(name);
        loop {
            let begun = Instant::now();
            let has_more = search.go_on(read(&self.inventory.catalog).products());
            time.spend(begun, begun.elapsed());
            if !has_more {
                return Refusal::product_near(name, &search.names());
            }
            tokio::task::yield_now().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::testing::{asked, shop};
    use super::*;
    use crate::operation::BatchRequest;

    #[tokio::test]
    async fn a_wrong_name_is_answered_with_those_that_look_like_it() {
        let (session, _committer) = shop();
        let refused = async |typed: &str| session.find(typed, |_| ()).await.unwrap_err();
        for (typed, offered) in [("Cajú amigo", "Caju"), ("Bananna", "Banana"), ("aca", "Maca")] {
            let refusal = refused(typed).await;
            assert_eq!(refusal.code, Code::ProductNotFound);
            assert!(refusal.message.contains(offered), "{}", refusal.message);
        }
        // The refusals of a change and of a batch name similar products, too.
        let refusal = session.adjust(asked("Bananna 1")).await.unwrap_err();
        assert!(refusal.message.contains("Banana."), "{}", refusal.message);
        let batch = BatchRequest { adjustments: vec![asked("Caju 1"), asked("Bananna 1")], request_id: None };
        let refusal = session.adjust_together(batch).await.unwrap_err();
        assert!(refusal.message.contains("Banana."), "{}", refusal.message);
        assert!(refusal.metadata.contains(&("index", "1".to_owned())));
        // More wrong names than are searched for.
        for _ in 0..2 {
            session.inventory.near_names.lock().await.spend(Instant::now(), Duration::from_secs(60));
        }
        let refusal = refused("Bananna").await;
        assert_eq!(refusal.code, Code::ProductNotFound);
        assert!(refusal.message.contains("veja a lista de todos"), "{}", refusal.message);
    }
}
