mod browser_figures;
mod chaos;
mod critical_path;
mod listeners;
mod quality;
mod recovery_table;
