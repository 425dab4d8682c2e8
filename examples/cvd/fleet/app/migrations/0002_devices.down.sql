DROP INDEX devices_by_name;
DROP TABLE devices;
