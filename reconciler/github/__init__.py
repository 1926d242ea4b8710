"""The places on GitHub where people meet the tool."""
