"""What every test is watched for: connections to the outside, unexpected log records, and things left running."""
