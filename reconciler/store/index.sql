-- The index: a copy of what record files, the branch and git's history say, made to be asked quickly.
-- It is a cache: after any change of this text it is deleted and built again (index.py).
-- Rows that depend on the followed branch carry the environment whose reconciler wrote them.

CREATE TABLE meta (
  environment TEXT NOT NULL,
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (environment, key)
) WITHOUT ROWID;

-- What a file's bytes parse to, by the release that parsed them: the same for every environment.
CREATE TABLE parsed (
  blob TEXT NOT NULL,
  path TEXT NOT NULL,
  release TEXT NOT NULL,
  document TEXT,
  problems TEXT NOT NULL,
  PRIMARY KEY (blob, path, release)
);

-- gone_commit and gone_why: since when, and why, a version is no more.
-- With row ids, unlike its neighbours: a history's versions are added in the order of its commits.
CREATE TABLE versions (
  environment TEXT NOT NULL,
  name TEXT NOT NULL,
  number INTEGER NOT NULL,
  commit_id TEXT NOT NULL,
  blob TEXT NOT NULL,
  path TEXT NOT NULL,
  author TEXT NOT NULL,
  time TEXT NOT NULL,
  subject TEXT NOT NULL,
  content TEXT NOT NULL,
  gone_commit TEXT,
  gone_why TEXT,
  place INTEGER NOT NULL,
  gone_place INTEGER,
  PRIMARY KEY (environment, name, number)
);

-- Where numbering stands for each name, whose key is the name in lower case: book.Last.
CREATE TABLE last_versions (
  environment TEXT NOT NULL,
  key TEXT NOT NULL,
  name TEXT NOT NULL,
  number INTEGER NOT NULL,
  current INTEGER,
  content TEXT,
  files TEXT NOT NULL,
  line TEXT NOT NULL,
  moved INTEGER NOT NULL,
  former TEXT NOT NULL,
  PRIMARY KEY (environment, key)
) WITHOUT ROWID;

-- Every commit of the history that versions are counted along, from the first, which has place 0. A row holds the ids,
-- as bytes, of many that follow each other: a row each would cost as much as all versions.
CREATE TABLE chain (
  environment TEXT NOT NULL,
  place INTEGER NOT NULL,
  commits BLOB NOT NULL,
  PRIMARY KEY (environment, place)
) WITHOUT ROWID;

-- Marks that do not hold, in the order of the history: book.Ignored; names is a JSON array.
CREATE TABLE ignored_marks (
  environment TEXT NOT NULL,
  commit_id TEXT NOT NULL,
  line TEXT NOT NULL,
  names TEXT NOT NULL,
  why TEXT NOT NULL
);

-- The applied snapshot, for readers; document and commit_id are those in force.
CREATE TABLE processes (
  environment TEXT NOT NULL,
  name TEXT NOT NULL COLLATE NOCASE,
  path TEXT NOT NULL,
  blob TEXT NOT NULL,
  commit_id TEXT,
  version INTEGER,
  document TEXT,
  problems TEXT NOT NULL,
  valid INTEGER NOT NULL,
  held TEXT,
  tag TEXT,
  unsynced TEXT,
  PRIMARY KEY (environment, name)
) WITHOUT ROWID;

-- Every problem of the applied commit, those of files that are no process too.
CREATE TABLE problems (
  environment TEXT NOT NULL,
  path TEXT NOT NULL,
  problem TEXT NOT NULL
);
CREATE INDEX problems_path ON problems (environment, path);

-- The next slot of each process after an instant, valid while its schedule has this fingerprint.
CREATE TABLE slots (
  environment TEXT NOT NULL,
  name TEXT NOT NULL,
  schedule TEXT NOT NULL,
  after TEXT NOT NULL,
  next TEXT,
  PRIMARY KEY (environment, name)
) WITHOUT ROWID;

-- One row a record. Instants are text as in records, which sorts as they do.
-- happened: start, or the trigger time before it started: what lists are ordered by.
-- reach: the last instant a record says something about: its end or last slot; beyond all instants while it is active.
-- gist: what no column copies, without logs and data, as JSON: what queries read instead of the document.
-- mtime_ns and size are the file's, 0 where there is only the branch.
CREATE TABLE executions (
  path TEXT NOT NULL PRIMARY KEY,
  id TEXT NOT NULL,
  name TEXT NOT NULL,
  service TEXT NOT NULL,
  environment TEXT NOT NULL,
  trigger_kind TEXT NOT NULL,
  status TEXT NOT NULL,
  outcome TEXT,
  start_time TEXT,
  end_time TEXT,
  trigger_time TEXT NOT NULL,
  message TEXT NOT NULL,
  reason TEXT NOT NULL,
  run_as TEXT,
  version INTEGER,
  commit_id TEXT,
  tag TEXT,
  parent_id TEXT,
  host TEXT,
  duration REAL,
  happened TEXT NOT NULL,
  reach TEXT NOT NULL,
  gist TEXT NOT NULL,
  mtime_ns INTEGER NOT NULL,
  size INTEGER NOT NULL,
  published INTEGER NOT NULL
);
-- The records themselves, apart from what they are found by: a query that has to look at every row reads little.
CREATE TABLE documents (
  path TEXT NOT NULL PRIMARY KEY,
  document TEXT NOT NULL
) WITHOUT ROWID;

CREATE INDEX executions_id ON executions (id);
-- Answers alone what is asked about several of these fields, in the order of lists.
CREATE INDEX executions_happened
  ON executions (happened, path, name, service, status, outcome, trigger_kind, environment, start_time);
CREATE INDEX executions_name ON executions (name, happened);
CREATE INDEX executions_status ON executions (status, happened, environment);
CREATE INDEX executions_outcome ON executions (outcome, happened, environment);
CREATE INDEX executions_reach ON executions (environment, name, reach, outcome);
CREATE INDEX executions_active ON executions (environment) WHERE end_time IS NULL;
CREATE INDEX executions_unpublished ON executions (environment, end_time) WHERE published = 0 AND end_time IS NOT NULL;
CREATE INDEX executions_files ON executions (environment, end_time) WHERE published = 1 AND mtime_ns > 0;

-- What SQLite would find out by ANALYZE in an index of a million, so that it plans alike whatever is in this one: an
-- equal status or outcome says little, a name or an id much.
ANALYZE sqlite_schema;
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
  ('executions', 'executions_happened', '1000000 2 1 1 1 1 1 1 1 1'),
  ('executions', 'executions_name', '1000000 2000 1'),
  ('executions', 'executions_status', '1000000 100000 2 2'),
  ('executions', 'executions_outcome', '1000000 50000 2 2'),
  ('executions', 'executions_id', '1000000 1'),
  ('executions', 'executions_reach', '1000000 1000000 2000 1 1'),
  ('executions', 'executions_active', '100 50'),
  ('executions', 'executions_unpublished', '1000 500 1'),
  ('executions', 'executions_files', '100000 50000 2'),
  ('executions', 'sqlite_autoindex_executions_1', '1000000 1');
