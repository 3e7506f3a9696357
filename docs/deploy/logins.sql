-- Run once, by the image, when the database server is made. registry database-roles gives the accounts their rights.
\set ON_ERROR_STOP on
\set owner_password `cat /run/secrets/owner-password`
\set server_password `cat /run/secrets/server-password`
CREATE ROLE registry_owner LOGIN CREATEROLE PASSWORD :'owner_password';
CREATE ROLE registry_server LOGIN PASSWORD :'server_password';
CREATE ROLE registry_application NOLOGIN ROLE registry_server;
CREATE DATABASE registry OWNER registry_owner;
