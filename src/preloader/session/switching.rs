//! Who an application runs as, where the host is root and has said who is to be used if nobody else may be: the reference's 36 rules (PA-49), which apply
//! as soon as `default_user` is given. Pure: the accounts are asked through a trait.
//!
//! | `user`                               | user              | `group` given | is the root group | `!STARTUP_FILE!`          | none given             |
//! |--------------------------------------|-------------------|---------------|-------------------|---------------------------|------------------------|
//! | given, and neither root nor unknown  | that one          | that one      | the default one   | the startup file's        | the user's             |
//! | given, and root or unknown           | the default one   | that one      | the default one   | the startup file's        | the default user's     |
//! | not given                            | the startup file's, if it has an account and is not root; else the default one, and so on                        |
//!
//! The trap is who decides: the owner of a file decides who runs it, so it is the owner of the name, not of what a link leads to (lstat). And no rule ever
//! ends at root or at its group.

/// A user's numbers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Account {
    /// The user.
    pub uid: u32,
    /// Its group.
    pub gid: u32,
}

/// What was asked for.
#[derive(Clone, Copy, Debug)]
pub struct Wish<'a> {
    /// By name.
    pub user: Option<&'a str>,
    /// By name, or [`STARTUP_FILE`].
    pub group: Option<&'a str>,
    /// Whose the startup file is; a link is not followed.
    pub startup_file: Option<Account>,
    /// Who is used if nobody else may be.
    pub default_user: &'a str,
    /// Without one it is the default user's.
    pub default_group: Option<&'a str>,
}

/// The group of the startup file.
pub const STARTUP_FILE: &str = "!STARTUP_FILE!";

/// The system's users and groups.
pub trait Accounts {
    /// By name or number.
    fn user(&self, name: &str) -> Option<Account>;
    /// By number.
    fn user_with(&self, uid: u32) -> Option<Account>;
    /// By name or number.
    fn group(&self, name: &str) -> Option<u32>;
    /// Whether the number has an entry.
    fn has_group(&self, gid: u32) -> bool;
}

/// User and group, or which default there is not.
pub fn decide(wish: &Wish<'_>, accounts: &dyn Accounts) -> Result<Account, String> {
    let asked = match wish.user {
        Some(name) => accounts.user(name),
        None => wish.startup_file.and_then(|file| accounts.user_with(file.uid)),
    };
    let default_user = || accounts.user(wish.default_user).ok_or_else(|| format!("default_user: there is no user {:?}", wish.default_user));
    let user = match asked.filter(|user| user.uid != 0) {
        Some(user) => user,
        None => default_user()?,
    };
    let asked = match wish.group {
        Some(STARTUP_FILE) => wish.startup_file.map(|file| file.gid).filter(|gid| accounts.has_group(*gid)),
        Some(name) => accounts.group(name),
        None => Some(user.gid),
    };
    let gid = match (asked.filter(|gid| *gid != 0), wish.default_group) {
        (Some(gid), _) => gid,
        (None, Some(name)) => accounts.group(name).ok_or_else(|| format!("default_group: there is no group {name:?}"))?,
        (None, None) => default_user()?.gid,
    };
    Ok(Account { uid: user.uid, gid })
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEFAULT: Account = Account { uid: 100, gid: 110 };
    const NORMAL: Account = Account { uid: 200, gid: 210 };
    const FILE: Account = Account { uid: 300, gid: 310 };
    /// Of the file, which is another one than its owner's own.
    const FILE_GROUP: u32 = 311;
    const NAMED_GROUP: u32 = 400;
    const DEFAULT_GROUP: u32 = 500;

    struct Machine {
        users: Vec<(&'static str, Account)>,
        groups: Vec<(&'static str, u32)>,
    }

    impl Machine {
        fn new() -> Self {
            let users = vec![("root", Account { uid: 0, gid: 0 }), ("default", DEFAULT), ("normal", NORMAL), ("file", FILE)];
            let groups = vec![
                ("root", 0),
                ("default_own", 110),
                ("normal_own", 210),
                ("file_own", 310),
                ("file", FILE_GROUP),
                ("named", NAMED_GROUP),
                ("default", DEFAULT_GROUP),
            ];
            Self { users, groups }
        }
    }

    impl Accounts for Machine {
        fn user(&self, name: &str) -> Option<Account> {
            self.users.iter().find(|(known, _)| *known == name).map(|(_, user)| *user)
        }
        fn user_with(&self, uid: u32) -> Option<Account> {
            self.users.iter().find(|(_, user)| user.uid == uid).map(|(_, user)| *user)
        }
        fn group(&self, name: &str) -> Option<u32> {
            self.groups.iter().find(|(known, _)| *known == name).map(|(_, gid)| *gid)
        }
        fn has_group(&self, gid: u32) -> bool {
            self.groups.iter().any(|(_, known)| *known == gid)
        }
    }

    const WISH: Wish<'static> = Wish {
        user: None,
        group: None,
        startup_file: Some(Account { uid: FILE.uid, gid: FILE_GROUP }),
        default_user: "default",
        default_group: Some("default"),
    };

    /// The table of the reference: its rules 1 to 34. Those of symbolic links are in the lstat of who asks (`owner.rs`).
    // covers: PA-49
    #[test]
    fn the_rules_are_those_of_the_reference() {
        let machine = Machine::new();
        let unknown_file = Some(Account { uid: 999, gid: FILE_GROUP });
        let nowhere = Some(Account { uid: 999, gid: 998 });
        let rows = [
            ("1-6: root", Wish { user: Some("root"), ..WISH }, DEFAULT, FILE_GROUP),
            ("7-14: another one", Wish { user: Some("normal"), ..WISH }, NORMAL, FILE_GROUP),
            ("15-20: unknown", Wish { user: Some("ghost"), ..WISH }, DEFAULT, FILE_GROUP),
            ("21-27: the file's owner", WISH, FILE, FILE_GROUP),
            ("28-30, 32-34: the file's owner is unknown", Wish { startup_file: unknown_file, ..WISH }, DEFAULT, FILE_GROUP),
            ("31: and so is its group", Wish { startup_file: nowhere, ..WISH }, DEFAULT, DEFAULT_GROUP),
            ("and root", Wish { startup_file: Some(Account { uid: 0, gid: 0 }), ..WISH }, DEFAULT, DEFAULT_GROUP),
        ];
        for (row, wish, user, files) in rows {
            for (group, gid) in [(None, user.gid), (Some("named"), NAMED_GROUP), (Some("root"), DEFAULT_GROUP), (Some(STARTUP_FILE), files)]
            {
                let is = decide(&Wish { group, ..wish }, &machine);
                assert_eq!(is, Ok(Account { uid: user.uid, gid }), "{row}, group {group:?}");
            }
        }
    }

    // covers: PA-49
    #[test]
    fn a_default_that_is_not_there_is_an_error() {
        let machine = Machine::new();
        let lowered = Wish { user: Some("root"), default_user: "ghost", ..WISH };
        assert!(decide(&lowered, &machine).unwrap_err().contains("default_user"), "35");
        assert!(decide(&Wish { default_user: "ghost", ..WISH }, &machine).is_ok(), "where it is not needed it need not be there");
        let group = Wish { group: Some("root"), default_group: Some("ghost"), ..WISH };
        assert!(decide(&group, &machine).unwrap_err().contains("default_group"), "36");
        assert_eq!(decide(&Wish { default_group: None, ..group }, &machine).unwrap().gid, DEFAULT.gid);
    }

    // covers: PA-49
    #[test]
    fn nobody_becomes_root_whatever_is_asked_for() {
        let machine = Machine::new();
        for user in [None, Some("root"), Some("normal"), Some("ghost"), Some("")] {
            for group in [None, Some("root"), Some("named"), Some(STARTUP_FILE), Some("ghost")] {
                for startup_file in [None, WISH.startup_file, Some(Account { uid: 0, gid: 0 }), Some(Account { uid: 7, gid: 7 })] {
                    let is = decide(&Wish { user, group, startup_file, ..WISH }, &machine).unwrap();
                    assert!(is.uid != 0 && is.gid != 0, "{user:?} {group:?} {startup_file:?}");
                }
            }
        }
    }
}
