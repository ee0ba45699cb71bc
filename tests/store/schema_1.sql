-- What the first release wrote. Never changes; later releases get a file of their own.
CREATE TABLE decisions (
	seq INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	client_id VARCHAR(64) NOT NULL, 
	record VARCHAR(32) NOT NULL, 
	verdict VARCHAR(16) NOT NULL, 
	reason TEXT NOT NULL, 
	edit JSON, 
	undoes INTEGER, 
	batch VARCHAR(64), 
	decided_by TEXT NOT NULL, 
	seconds FLOAT, 
	at TEXT NOT NULL, 
	UNIQUE (client_id)
);
CREATE TABLE jobs (
	id VARCHAR(64) NOT NULL, 
	kind VARCHAR(32) NOT NULL, 
	title TEXT NOT NULL, 
	folder TEXT NOT NULL, 
	at TEXT NOT NULL, 
	PRIMARY KEY (id)
);
CREATE TABLE schema_version (
	version INTEGER NOT NULL, 
	PRIMARY KEY (version)
);
CREATE TABLE settings (
	"key" VARCHAR(64) NOT NULL, 
	value JSON NOT NULL, 
	PRIMARY KEY ("key")
);
CREATE TABLE sources (
	id INTEGER NOT NULL, 
	sha256 VARCHAR(64) NOT NULL, 
	name TEXT NOT NULL, 
	kept TEXT NOT NULL, 
	format TEXT NOT NULL, 
	mapping JSON NOT NULL, 
	rows_read INTEGER NOT NULL, 
	records INTEGER NOT NULL, 
	duplicate_rows INTEGER NOT NULL, 
	rejected INTEGER NOT NULL, 
	quarantine TEXT NOT NULL, 
	at TEXT NOT NULL, 
	PRIMARY KEY (id)
);
CREATE INDEX ix_decisions_batch ON decisions (batch);
CREATE INDEX ix_decisions_record ON decisions (record);
CREATE INDEX ix_decisions_undoes ON decisions (undoes);
INSERT INTO schema_version (version) VALUES (1);
INSERT INTO decisions (client_id, record, verdict, reason, decided_by, at) VALUES ('c1', 'r1', 'drop', '', 'human:local', '2026-11-23T00:00:00.000+00:00');
