"""Line plots of long, growing series, drawn with pyqtgraph."""
