#!/bin/sh
# Run once by the image of PostgreSQL, on an empty volume: a user and its databases for each of Sojourn and Temporal,
# and no way to those of the other.
set -eu

psql --no-psqlrc --set ON_ERROR_STOP=1 --username "${POSTGRES_USER:-postgres}" --dbname postgres \
  --set sojourn="$SOJOURN_DB_PASSWORD" --set temporal="$TEMPORAL_DB_PASSWORD" <<'SQL'
CREATE ROLE sojourn LOGIN PASSWORD :'sojourn';
CREATE ROLE temporal LOGIN PASSWORD :'temporal';
CREATE DATABASE sojourn OWNER sojourn;
CREATE DATABASE temporal OWNER temporal;
CREATE DATABASE temporal_visibility OWNER temporal;
REVOKE ALL ON DATABASE postgres, template1, sojourn, temporal, temporal_visibility FROM PUBLIC;
SQL
