BEGIN TRANSACTION;
CREATE TABLE address (
	recipient TEXT NOT NULL, 
	channel TEXT NOT NULL, 
	value TEXT NOT NULL, 
	bound_at TEXT NOT NULL, 
	dead_since TEXT, 
	dead_reason TEXT NOT NULL, 
	PRIMARY KEY (recipient, channel)
)
 WITHOUT ROWID

;
INSERT INTO "address" VALUES('an','email','an@example.vn','2024-01-22T00:00:00.000000+00:00',NULL,'');
INSERT INTO "address" VALUES('an','telegram','101','2024-01-22T00:00:00.000000+00:00',NULL,'');
INSERT INTO "address" VALUES('binh','email','binh@example.vn','2024-01-22T00:00:00.000000+00:00',NULL,'');
INSERT INTO "address" VALUES('binh','telegram','102','2024-01-22T00:00:00.000000+00:00',NULL,'');
INSERT INTO "address" VALUES('chi','email','chi@example.vn','2024-01-22T00:00:00.000000+00:00',NULL,'');
INSERT INTO "address" VALUES('chi','telegram','103','2024-01-22T00:00:00.000000+00:00',NULL,'');
INSERT INTO "address" VALUES('dung','email','dung@example.vn','2024-01-22T00:00:00.000000+00:00',NULL,'');
INSERT INTO "address" VALUES('dung','telegram','104','2024-01-22T00:00:00.000000+00:00',NULL,'');
INSERT INTO "address" VALUES('group:tu-phap','telegram','-100500','2024-01-23T02:00:00.000000+00:00',NULL,'');
INSERT INTO "address" VALUES('lan','email','lan@example.vn','2024-01-22T00:00:00.000000+00:00',NULL,'');
INSERT INTO "address" VALUES('lan','telegram','105','2024-01-22T00:00:00.000000+00:00',NULL,'');
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0003');
CREATE TABLE event (
	number INTEGER NOT NULL, 
	at TEXT NOT NULL, 
	kind TEXT NOT NULL, 
	"plan" TEXT NOT NULL, 
	task TEXT NOT NULL, 
	deliverable INTEGER NOT NULL, 
	period TEXT NOT NULL, 
	unit TEXT NOT NULL, 
	unit_name TEXT NOT NULL, 
	person TEXT NOT NULL, 
	channel TEXT NOT NULL, 
	message TEXT NOT NULL, 
	evidence TEXT NOT NULL, 
	note TEXT NOT NULL, 
	until TEXT, 
	hash TEXT NOT NULL, 
	PRIMARY KEY (number)
);
INSERT INTO "event" VALUES(1,'2024-01-24T03:00:00.000000+00:00','extension-asked','cchc-2024','4b',1,'2024','tai-chinh-ke-toan','Tài chính - Kế toán','dung','telegram','9003','','chờ số liệu','2024-02-05','1bb01c4a64f73693ab62c1e0e5db622b620e2d60438837633b298c649d928fb0');
CREATE TABLE head (
	id INTEGER NOT NULL, 
	number INTEGER NOT NULL, 
	hash TEXT NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO "head" VALUES(1,1,'1bb01c4a64f73693ab62c1e0e5db622b620e2d60438837633b298c649d928fb0');
CREATE TABLE invitation (
	code_hash TEXT NOT NULL, 
	person TEXT NOT NULL, 
	expires_at TEXT NOT NULL, 
	used_at TEXT, 
	PRIMARY KEY (code_hash)
)
 WITHOUT ROWID

;
CREATE TABLE meta (
	name TEXT NOT NULL, 
	value TEXT NOT NULL, 
	PRIMARY KEY (name)
)
 WITHOUT ROWID

;
INSERT INTO "meta" VALUES('addresses','12');
INSERT INTO "meta" VALUES('empty:dia-chinh-xay-dung','2024-01-24T01:00:00+00:00');
INSERT INTO "meta" VALUES('empty:van-hoa-thong-tin','2024-01-24T01:00:00+00:00');
INSERT INTO "meta" VALUES('ended','2024-01-26T01:02:00+00:00');
INSERT INTO "meta" VALUES('greeted:cchc-2024','2024-01-24T01:00:00+00:00');
INSERT INTO "meta" VALUES('last_tick','2024-01-26T01:00:00+00:00');
INSERT INTO "meta" VALUES('listed:cchc-2024:chi','2024-01-24T01:00:00+00:00');
INSERT INTO "meta" VALUES('moved:telegram:-500','-100500');
INSERT INTO "meta" VALUES('started:cchc-2024','2024-01-24T01:00:00+00:00');
INSERT INTO "meta" VALUES('tick:digest','2024-01-26T01:00:00+00:00');
INSERT INTO "meta" VALUES('tick:slot','2024-01-26T01:00:00+00:00');
CREATE TABLE naming (
	"plan" TEXT NOT NULL, 
	task TEXT NOT NULL, 
	deliverable INTEGER NOT NULL, 
	period TEXT NOT NULL, 
	outbox_id INTEGER NOT NULL, 
	PRIMARY KEY ("plan", task, deliverable, period, outbox_id)
)
 WITHOUT ROWID

;
INSERT INTO "naming" VALUES('cchc-2024','1c',1,'2024',3);
INSERT INTO "naming" VALUES('cchc-2024','1c',1,'2024',4);
INSERT INTO "naming" VALUES('cchc-2024','1c',1,'2024',12);
INSERT INTO "naming" VALUES('cchc-2024','1c',1,'2024',13);
INSERT INTO "naming" VALUES('cchc-2024','2c',1,'2024-01',11);
INSERT INTO "naming" VALUES('cchc-2024','2c',1,'2024-01',12);
INSERT INTO "naming" VALUES('cchc-2024','2c',1,'2024-01',13);
INSERT INTO "naming" VALUES('cchc-2024','2c',1,'2024-01',14);
INSERT INTO "naming" VALUES('cchc-2024','4b',1,'2024',5);
INSERT INTO "naming" VALUES('cchc-2024','4b',1,'2024',9);
INSERT INTO "naming" VALUES('cchc-2024','4b',1,'2024',10);
INSERT INTO "naming" VALUES('cchc-2024','4b',1,'2024',14);
CREATE TABLE outbox (
	id INTEGER NOT NULL, 
	slot TEXT NOT NULL, 
	recipient TEXT NOT NULL, 
	kind TEXT NOT NULL, 
	subject TEXT NOT NULL, 
	channel TEXT NOT NULL, 
	payload TEXT NOT NULL, 
	drafted_due TEXT NOT NULL, 
	state TEXT NOT NULL, 
	due_at TEXT NOT NULL, 
	attempts INTEGER NOT NULL, 
	lease_until TEXT, 
	repeat BOOLEAN NOT NULL, 
	provider_id TEXT NOT NULL, 
	error TEXT NOT NULL, 
	created_at TEXT NOT NULL, 
	ended_at TEXT, 
	PRIMARY KEY (id), 
	CONSTRAINT outbox_draft UNIQUE (slot, recipient, kind, subject, channel)
);
INSERT INTO "outbox" VALUES(1,'2024-01-23T02:00:00.000000+00:00','chi','reply','telegram:1:0','telegram','{"view":"bound","data":{"unit":"tu-phap"},"chat":"-500","reply_to":"9001"}','2024-01-23T02:00:00.000000+00:00','sent','2024-01-23T02:00:00.000000+00:00',1,NULL,0,'1001','','2024-01-23T02:00:00.000000+00:00','2024-01-23T02:00:00.000000+00:00');
INSERT INTO "outbox" VALUES(2,'2024-01-24T01:00:00.000000+00:00','chi','notice','plan-started:cchc-2024','telegram','{"view":"plan-started","data":{"plan":"cchc-2024","late":[],"held":"2024-01-31"}}','2024-01-24T01:00:00.000000+00:00','sent','2024-01-24T01:00:00.000000+00:00',1,NULL,0,'1002','','2024-01-24T01:00:00.000000+00:00','2024-01-24T01:00:00.000000+00:00');
INSERT INTO "outbox" VALUES(3,'2024-01-24T01:00:00.000000+00:00','group:tu-phap','nudge','','telegram','{"view":"nudge","data":{"items":[["tu-phap","cchc-2024","1c",1,"2024","2024-01-31","lead-7"]]}}','2024-01-24T01:00:00.000000+00:00','sent','2024-01-24T01:00:00.000000+00:00',1,NULL,0,'1003','','2024-01-24T01:00:00.000000+00:00','2024-01-24T01:00:00.000000+00:00');
INSERT INTO "outbox" VALUES(4,'2024-01-24T01:00:00.000000+00:00','binh','nudge','','email','{"view":"nudge","data":{"items":[["tu-phap","cchc-2024","1c",1,"2024","2024-01-31","lead-7"]]}}','2024-01-24T01:00:00.000000+00:00','sent','2024-01-24T01:00:00.000000+00:00',1,NULL,0,'1004','','2024-01-24T01:00:00.000000+00:00','2024-01-24T01:00:00.000000+00:00');
INSERT INTO "outbox" VALUES(5,'2024-01-24T01:00:00.000000+00:00','dung','nudge','','telegram','{"view":"nudge","data":{"items":[["tai-chinh-ke-toan","cchc-2024","4b",1,"2024","2024-01-31","lead-7"]]}}','2024-01-24T01:00:00.000000+00:00','sent','2024-01-24T01:00:00.000000+00:00',1,NULL,0,'1005','','2024-01-24T01:00:00.000000+00:00','2024-01-24T01:00:00.000000+00:00');
INSERT INTO "outbox" VALUES(6,'2024-01-24T01:00:00.000000+00:00','chi','notice','unit-empty:empty:dia-chinh-xay-dung','telegram','{"view":"unit-empty","data":{"unit":"dia-chinh-xay-dung"}}','2024-01-24T01:00:00.000000+00:00','sent','2024-01-24T01:00:00.000000+00:00',1,NULL,0,'1006','','2024-01-24T01:00:00.000000+00:00','2024-01-24T01:00:00.000000+00:00');
INSERT INTO "outbox" VALUES(7,'2024-01-24T01:00:00.000000+00:00','chi','notice','unit-empty:empty:van-hoa-thong-tin','telegram','{"view":"unit-empty","data":{"unit":"van-hoa-thong-tin"}}','2024-01-24T01:00:00.000000+00:00','sent','2024-01-24T01:00:00.000000+00:00',1,NULL,0,'1007','','2024-01-24T01:00:00.000000+00:00','2024-01-24T01:00:00.000000+00:00');
INSERT INTO "outbox" VALUES(8,'2024-01-24T02:00:00.000000+00:00','an','reply','telegram:2:0','telegram','{"view":"due","data":{"tasks":[["cchc-2024","1c"]]},"chat":"-500","reply_to":"9002"}','2024-01-24T02:00:00.000000+00:00','sent','2024-01-24T02:00:00.000000+00:00',1,NULL,0,'1008','','2024-01-24T02:00:00.000000+00:00','2024-01-24T02:00:00.000000+00:00');
INSERT INTO "outbox" VALUES(9,'2024-01-24T03:00:00.000000+00:00','dung','reply','telegram:3:0','telegram','{"view":"extension-requested","data":{"event":{"at":"2024-01-24T03:00:00+00:00","kind":"extension-asked","key":["cchc-2024","4b",1,"2024"],"unit":"tai-chinh-ke-toan","by":"dung","channel":"telegram","message":"9003","note":"ch\u1edd s\u1ed1 li\u1ec7u","until":"2024-02-05"},"again":false},"chat":"104"}','2024-01-24T03:00:00.000000+00:00','sent','2024-01-24T03:00:00.000000+00:00',1,NULL,0,'1009','','2024-01-24T03:00:00.000000+00:00','2024-01-24T03:00:00.000000+00:00');
INSERT INTO "outbox" VALUES(10,'2024-01-24T03:00:00.000000+00:00','chi','notice','extension-asked:telegram:3:1','telegram','{"view":"extension-asked","data":{"key":["cchc-2024","4b",1,"2024"]}}','2024-01-24T03:00:00.000000+00:00','sent','2024-01-24T03:00:00.000000+00:00',1,NULL,0,'1010','','2024-01-24T03:00:00.000000+00:00','2024-01-24T03:00:00.000000+00:00');
INSERT INTO "outbox" VALUES(11,'2024-01-26T01:00:00.000000+00:00','chi','nudge','','telegram','{"view":"nudge","data":{"items":[["van-phong","cchc-2024","2c",1,"2024-01","2024-01-31","lead-3"]]}}','2024-01-26T01:00:00.000000+00:00','sent','2024-01-26T01:00:00.000000+00:00',1,NULL,0,'1011','','2024-01-26T01:00:00.000000+00:00','2024-01-26T01:00:00.000000+00:00');
INSERT INTO "outbox" VALUES(12,'2024-01-26T01:00:00.000000+00:00','group:tu-phap','nudge','','telegram','{"view":"nudge","data":{"items":[["tu-phap","cchc-2024","1c",1,"2024","2024-01-31","lead-3"],["tu-phap","cchc-2024","2c",1,"2024-01","2024-01-31","lead-3"]]}}','2024-01-26T01:00:00.000000+00:00','sent','2024-01-26T01:00:00.000000+00:00',2,NULL,0,'1014','','2024-01-26T01:00:00.000000+00:00','2024-01-26T01:00:00.000000+00:00');
INSERT INTO "outbox" VALUES(13,'2024-01-26T01:00:00.000000+00:00','binh','nudge','','email','{"view":"nudge","data":{"items":[["tu-phap","cchc-2024","1c",1,"2024","2024-01-31","lead-3"],["tu-phap","cchc-2024","2c",1,"2024-01","2024-01-31","lead-3"]]}}','2024-01-26T01:00:00.000000+00:00','sent','2024-01-26T01:00:00.000000+00:00',1,NULL,0,'1012','','2024-01-26T01:00:00.000000+00:00','2024-01-26T01:00:00.000000+00:00');
INSERT INTO "outbox" VALUES(14,'2024-01-26T01:00:00.000000+00:00','dung','nudge','','telegram','{"view":"nudge","data":{"items":[["tai-chinh-ke-toan","cchc-2024","4b",1,"2024","2024-01-31","lead-3"],["van-hoa-xa-hoi","cchc-2024","2c",1,"2024-01","2024-01-31","lead-3"]]}}','2024-01-26T01:00:00.000000+00:00','sent','2024-01-26T01:00:00.000000+00:00',1,NULL,0,'1013','','2024-01-26T01:00:00.000000+00:00','2024-01-26T01:00:00.000000+00:00');
CREATE TABLE seen (
	channel TEXT NOT NULL, 
	update_id TEXT NOT NULL, 
	at TEXT NOT NULL, 
	PRIMARY KEY (channel, update_id)
)
 WITHOUT ROWID

;
INSERT INTO "seen" VALUES('telegram','1','2024-01-23T02:00:00.000000+00:00');
INSERT INTO "seen" VALUES('telegram','2','2024-01-24T02:00:00.000000+00:00');
INSERT INTO "seen" VALUES('telegram','3','2024-01-24T03:00:00.000000+00:00');
CREATE TABLE spoken (
	"plan" TEXT NOT NULL, 
	task TEXT NOT NULL, 
	deliverable INTEGER NOT NULL, 
	period TEXT NOT NULL, 
	unit TEXT NOT NULL, 
	kind TEXT NOT NULL, 
	stage TEXT NOT NULL, 
	due TEXT NOT NULL, 
	at TEXT NOT NULL, 
	skipped BOOLEAN NOT NULL, 
	PRIMARY KEY ("plan", task, deliverable, period, unit, kind, stage, due)
)
 WITHOUT ROWID

;
INSERT INTO "spoken" VALUES('cchc-2024','1c',1,'2024','tu-phap','nudge','lead-3','2024-01-31','2024-01-26T01:00:00.000000+00:00',0);
INSERT INTO "spoken" VALUES('cchc-2024','1c',1,'2024','tu-phap','nudge','lead-7','2024-01-31','2024-01-24T01:00:00.000000+00:00',0);
INSERT INTO "spoken" VALUES('cchc-2024','2c',1,'2024-01','dia-chinh-xay-dung','nudge','lead-3','2024-01-31','2024-01-26T01:00:00.000000+00:00',0);
INSERT INTO "spoken" VALUES('cchc-2024','2c',1,'2024-01','tu-phap','nudge','lead-3','2024-01-31','2024-01-26T01:00:00.000000+00:00',0);
INSERT INTO "spoken" VALUES('cchc-2024','2c',1,'2024-01','van-hoa-xa-hoi','nudge','lead-3','2024-01-31','2024-01-26T01:00:00.000000+00:00',0);
INSERT INTO "spoken" VALUES('cchc-2024','2c',1,'2024-01','van-phong','nudge','lead-3','2024-01-31','2024-01-26T01:00:00.000000+00:00',0);
INSERT INTO "spoken" VALUES('cchc-2024','4b',1,'2024','tai-chinh-ke-toan','nudge','lead-3','2024-01-31','2024-01-26T01:00:00.000000+00:00',0);
INSERT INTO "spoken" VALUES('cchc-2024','4b',1,'2024','tai-chinh-ke-toan','nudge','lead-7','2024-01-31','2024-01-24T01:00:00.000000+00:00',0);
CREATE INDEX outbox_state ON outbox (state, slot, id);
CREATE INDEX outbox_kind ON outbox (kind, recipient, slot, id);
CREATE INDEX outbox_recipient ON outbox (recipient, slot, id);
CREATE INDEX outbox_due ON outbox (due_at) WHERE state = 'pending';
CREATE INDEX outbox_repeat ON outbox (id) WHERE repeat IS 1;
CREATE INDEX address_value ON address (channel, value);
CREATE INDEX invitation_person ON invitation (person);
CREATE INDEX outbox_answer ON outbox (state, kind, slot, id) WHERE state = 'pending' AND kind = 'reply';
COMMIT;
