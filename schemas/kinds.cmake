# The resource kinds: the one list that a new kind joins. Each line stands for schemas/<kind>.schema.json,
# reconcilers/kinds/<kind>.cpp, tests/reconcilers/kinds/<kind>_test.cpp and examples/kinds/<kind>.yaml.
set(HOLDFAST_KINDS
  package
  group
  user
  directory
  file
  env_file
  release
  command
  systemd_unit
  nginx_site
  health_check
  backup_policy
)
# Schemas that those refer to: {"$ref": "check.schema.json"} stands for the whole of that file.
set(HOLDFAST_SCHEMA_PARTS
  http_check
  check
  content
  notify_sink
)
# What commands print for programs with `--output json`: published, so that it stays as it is.
set(HOLDFAST_RECORDS
  plan
  history
  deployment
  notification
  audit
)
