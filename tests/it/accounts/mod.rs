//! Accounts as production servers have them: shut in, with odd shells, behind sudo, or denied; each on
//! a real sshd, with the refusal in its own words and a benign twin that is GO.

mod chroot;
