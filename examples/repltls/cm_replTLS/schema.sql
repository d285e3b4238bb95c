create sequence sampleuser.s;
create table sampleuser.emp (
  id number not null primary key,
  name char(32)
);
