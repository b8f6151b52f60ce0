-- What the server promises, and how many connections there may be. Everybody may ask this. A limit of the role or of the database counts
-- where it is lower than that of the server; -1 means none. Reserved connections are for others.
SELECT current_setting('server_version_num')::integer AS version, pg_is_in_recovery() AS standby,
  current_setting('transaction_read_only')::boolean AS read_only,
  (SELECT coalesce(sum(numbackends), 0)::integer FROM pg_stat_database) AS used,
  least(
    current_setting('max_connections')::integer - current_setting('superuser_reserved_connections')::integer
      - coalesce(current_setting('reserved_connections', true), '0')::integer,
    (SELECT nullif(rolconnlimit, -1) FROM pg_roles WHERE rolname = current_user),
    (SELECT nullif(datconnlimit, -1) FROM pg_database WHERE datname = current_database())
  ) AS most
