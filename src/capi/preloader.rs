//! `ps_preloader`: an application that is loaded once, and the workers forked from it.
